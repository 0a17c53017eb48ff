// The example services beside chimney: how each is started, and a little traffic for it. They are named by `--services`.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clock, pick, request, whole } from './clock.mjs';

const example = (name, file = 'main.js') => fileURLToPath(new URL(join('..', name, 'dist', file), import.meta.url));

/** `start(processes, signalbox)` resolves with addresses, the first of which is shown; `traffic(addresses, signal)` runs until `signal` fires. */
export const services = {
  wippy: { programs: ['wippy/dist/main.js'], start: startWippy, traffic: wippyTraffic },
  webserver: { programs: ['webserver/dist/main.js'], start: startWebserver, traffic: webserverTraffic },
  agentstack: {
    programs: ['agentstack/dist/api.js', 'agentstack/dist/worker.js', 'llm-stand-in/dist/main.js'],
    start: startAgentstack,
    traffic: agentstackTraffic,
  },
};

async function startWippy(processes, { otlp }) {
  const [match] = await processes.start('wippy', process.execPath, [example('wippy')], {
    environment: { WIPPY_PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: otlp, OTEL_METRIC_EXPORT_INTERVAL: '15000' },
    ready: /"url":"(http:[^"]+)".*wippy listens/,
  });
  return [match[1]];
}

async function wippyTraffic([wippy], signal) {
  const post = (path, body) => request(`${wippy}/${path}`, signal, { method: 'POST', body: JSON.stringify(body) });
  await Promise.all([
    clock(signal, 2, () => request(`${wippy}/${pick(['hello', 'stats'])}`, signal)),
    clock(signal, 4, () => post('kv', { key: `item-${whole(1, 20)}`, value: whole(1, 100) })),
    clock(signal, 3, () => post('pub', { order: whole(1, 1000) })),
    clock(signal, 15, () => post('spawn', pick(['work', 'work', 'fail']))),
  ]);
}

async function startWebserver(processes, { otlpGrpc }) {
  const [match] = await processes.start('webserver', process.execPath, [example('webserver')], {
    environment: { WEBSERVER_PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: otlpGrpc },
    ready: /"urls":(\[[^\]]+\])/,
  });
  return JSON.parse(match[1]);
}

async function webserverTraffic(nodes, signal) {
  const key = () => `${pick(['color', 'size', 'mood'])}-${whole(1, 9)}`;
  await Promise.all([
    clock(signal, 3, () => request(`${pick(nodes)}/kv/${key()}`, signal)),
    clock(signal, 5, () =>
      request(`${pick(nodes)}/kv/${key()}`, signal, { method: 'PUT', body: pick(['blue', 'large', 'calm']) }),
    ),
    clock(signal, 20, () => request(`${pick(nodes)}/nodes`, signal)),
  ]);
}

async function startAgentstack(processes, { otlp }) {
  const telemetry = { OTEL_EXPORTER_OTLP_ENDPOINT: otlp, OTEL_TRACE_SAMPLER_RATE: '1.0', ENVIRONMENT: 'demo' };
  const start = async (name, file, environment, ready) => {
    const [match] = await processes.start(name, process.execPath, [file], { environment, ready });
    return match[1];
  };
  const model = await start(
    'llm-stand-in',
    example('llm-stand-in'),
    { STAND_IN_PORT: '0', STAND_IN_LIMIT_EVERY: '25' },
    /on (http:\S+)/,
  );
  const worker = await start(
    'agentstack-worker',
    example('agentstack', 'worker.js'),
    { AGENTSTACK_WORKER_PORT: '0', OPENAI_BASE_URL: model, ...telemetry },
    /"url":"(http:[^"]+)".*agentstack-worker listens/,
  );
  const api = await start(
    'agentstack-api',
    example('agentstack', 'api.js'),
    { AGENTSTACK_API_PORT: '0', AGENTSTACK_WORKER_URL: worker, ...telemetry },
    /"url":"(http:[^"]+)".*agentstack-api listens/,
  );
  return [api];
}

async function agentstackTraffic([api], signal) {
  const headers = { 'content-type': 'application/json' };
  const post = (path, body) =>
    request(`${api}${path}`, signal, { method: 'POST', headers, body: JSON.stringify(body) });
  const names = ['helper', 'analyst', 'reviewer', 'broken name'];
  for (const [index, framework] of ['langgraph', 'crewai', 'autogen'].entries())
    await post(`/v1/projects/p${(index % 2) + 1}/agents`, { name: names[index], framework });
  const agents = async (project) => {
    const answer = await request(`${api}/v1/projects/${project}/agents`, signal, {}, true);
    return answer?.agents ?? [];
  };
  await Promise.all([
    clock(signal, 3, async () => {
      const agent = pick(await agents(pick(['p1', 'p2'])));
      const message = pick(['Why is it slow?', 'What changed since yesterday?', 'Summarise the errors.']);
      if (agent) await post(`/v1/agents/${agent.id}/chat`, { message });
    }),
    clock(signal, 30, () =>
      post('/v1/projects/p1/agents', { name: pick(names), framework: pick(['custom', 'cobol']) }),
    ),
  ]);
}
