// The bundles have this in a file of its own, which is read only when OTEL_CONFIG_FILE is set: see build/bundle.mjs.
export { type ConfigurationFile, readConfigurationFile } from './read-configuration-file.ts';
