export interface Telemetry {
  scrape: (() => Promise<string>) | null;
  shutdown(): Promise<void>;
}

export function startTelemetry(_options: { prometheus: boolean }): Telemetry {
  return { scrape: null, shutdown: async () => {} };
}
export function setRoute(_route: string): void {}
