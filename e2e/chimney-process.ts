import { fileURLToPath } from 'node:url';
import { Child } from './child-process.ts';

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** chimney against the GitHub stand-in, both as real processes on ports of the system's choosing. */
export class ChimneyProcess {
  readonly #standIn: Child;
  #chimney!: Child;
  url = '';

  private constructor(standIn: Child) {
    this.#standIn = standIn;
  }

  static async start(otlpEndpoint: string, environment: Record<string, string> = {}): Promise<ChimneyProcess> {
    const standIn = new Child(process.execPath, [path('../examples/github-stand-in/dist/main.js')], {
      STAND_IN_PORT: '0',
      STAND_IN_LATENCY_MS: '20',
      STAND_IN_ERROR_RATE: '0',
      STAND_IN_SLOW_RATE: '0',
    });
    const [, githubUrl = ''] = await standIn.waitFor(/on (http:\S+)/);
    const self = new ChimneyProcess(standIn);
    self.#chimney = new Child(process.execPath, [path('../examples/chimney/dist/main.js')], {
      CHIMNEY_PORT: '0',
      CHIMNEY_DEBUG_ROUTES: '1',
      GITHUB_API_URL: githubUrl,
      OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint,
      OTEL_METRIC_EXPORT_INTERVAL: '500',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.slot=blue',
      ...environment,
    });
    self.url = (await self.#chimney.waitFor(/"url":"(http:[^"]+)"/))[1] ?? '';
    return self;
  }

  /** Lines that chimney printed and that are JSON. */
  get logLines(): Record<string, unknown>[] {
    return this.#chimney.output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async stop(): Promise<{ code: number | null; elapsedMs: number }> {
    const end = await this.#chimney.stop('SIGTERM');
    await this.#standIn.stop('SIGTERM');
    return end;
  }
}
