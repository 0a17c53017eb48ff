import { createTheme, type MantineColorsTuple } from '@mantine/core';

const accent: MantineColorsTuple = [
  '#eef2ff',
  '#dfe6fd',
  '#bccaf7',
  '#97adf2',
  '#7793ed',
  '#6382eb',
  '#4f70e3',
  '#3f5fd0',
  '#3553ba',
  '#2846a3',
];
const dark: MantineColorsTuple = [
  '#dfe4ec',
  '#b4bcc9',
  '#929cad',
  '#657083',
  '#3a4352',
  '#2a313d',
  '#1f2530',
  '#161b23',
  '#11151b',
  '#0c0f14',
];

export const theme = createTheme({
  primaryColor: 'accent',
  // White text on it is readable in both.
  primaryShade: { light: 7, dark: 7 },
  colors: { accent, dark },
  fontFamily: 'Inter, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '11.5px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  defaultRadius: 6,
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
  components: {
    Button: { styles: { label: { fontWeight: 500 } } },
    SegmentedControl: { styles: { label: { fontWeight: 500 } } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: false, transitionProps: { duration: 80 } } },
    Modal: { defaultProps: { transitionProps: { duration: 100 } } },
    Popover: { defaultProps: { transitionProps: { duration: 80 } } },
    Menu: { defaultProps: { transitionProps: { duration: 80 } } },
    Combobox: { defaultProps: { transitionProps: { duration: 0 } } },
  },
});
