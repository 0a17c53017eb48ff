/** Version of this package, as its instrumentation scopes and `telemetry.distro.version` report it. */
export const version = '0.1.0';
