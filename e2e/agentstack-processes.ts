import { fileURLToPath } from 'node:url';
import { Child } from './child-process.ts';

const path = (file: string) => fileURLToPath(new URL(`../examples/${file}`, import.meta.url));

/** AgentStack's API and worker and the model's stand-in, as real processes on ports of the system's choosing. */
export class AgentstackProcesses {
  readonly #children: Child[] = [];
  url = '';
  workerUrl = '';

  static async start(otlpEndpoint: string, environment: Record<string, string> = {}): Promise<AgentstackProcesses> {
    const self = new AgentstackProcesses();
    const standIn = self.#run('llm-stand-in/dist/main.js', { STAND_IN_PORT: '0', STAND_IN_LATENCY_MS: '10' });
    const [, llm = ''] = await standIn.waitFor(/on (http:\S+)/);
    const telemetry = {
      OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint,
      OTEL_METRIC_EXPORT_INTERVAL: '500',
      OTEL_BSP_SCHEDULE_DELAY: '200',
      OTEL_TRACE_SAMPLER_RATE: '1.0',
      ENVIRONMENT: 'production',
      ...environment,
    };
    const worker = self.#run('agentstack/dist/worker.js', {
      AGENTSTACK_WORKER_PORT: '0',
      OPENAI_BASE_URL: llm,
      ...telemetry,
    });
    self.workerUrl = (await worker.waitFor(/"url":"(http:[^"]+)"/))[1] ?? '';
    const api = self.#run('agentstack/dist/api.js', {
      AGENTSTACK_API_PORT: '0',
      AGENTSTACK_WORKER_URL: self.workerUrl,
      ...telemetry,
    });
    self.url = (await api.waitFor(/"url":"(http:[^"]+)"/))[1] ?? '';
    return self;
  }

  /** Lines of JSON that the API printed. */
  get logLines(): Record<string, unknown>[] {
    const lines = this.#children.at(-1)?.output.split('\n') ?? [];
    return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async post(route: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(this.url + route, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  async stop(): Promise<void> {
    for (const child of this.#children.splice(0).reverse()) await child.stop('SIGTERM');
  }

  #run(program: string, environment: Record<string, string>): Child {
    const child = new Child(process.execPath, [path(program)], environment);
    this.#children.push(child);
    return child;
  }
}
