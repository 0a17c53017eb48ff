import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/',
  plugins: [react()],
  resolve: { conditions: ['@signalbox/source', 'module', 'browser', 'development|production'] },
  build: {
    // The server serves this folder, and its npm package ships it.
    outDir: '../server/page',
    emptyOutDir: true,
    target: 'es2023',
    // The page's policy allows no inline scripts, and data: only for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
