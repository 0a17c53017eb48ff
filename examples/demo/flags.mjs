import { parseArgs } from 'node:util';
import { services } from './services.mjs';

export const help = `npm run demo: Signalbox, example services and traffic between them

  npm run demo -- [options]

  --data DIR               keep the data in DIR [a temporary folder, removed at the end]
  --seconds N              stop by itself after N seconds
  --no-traffic             start everything, send nothing
  --services NAMES         of wippy, webserver and agentstack, by commas; none: chimney alone [all]
  --port N                 the page [4319]
  --otlp-http-port N       OTLP over HTTP [4318]
  --otlp-grpc-port N       OTLP over gRPC [4317]
  --chimney-port N         chimney [4380]
  --storefront-port N      the storefront [4381]
  --help

Port 0 takes a free one. Ctrl-C stops everything.`;

const ports = {
  port: '4319',
  'otlp-http-port': '4318',
  'otlp-grpc-port': '4317',
  'chimney-port': '4380',
  'storefront-port': '4381',
};

/** What the command line asks for; throws an Error that says what is wrong with it. */
export function readFlags(args) {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      data: { type: 'string' },
      seconds: { type: 'string' },
      'no-traffic': { type: 'boolean', default: false },
      services: { type: 'string', default: Object.keys(services).join(',') },
      ...Object.fromEntries(Object.entries(ports).map(([name, value]) => [name, { type: 'string', default: value }])),
    },
  });
  const number = (name, highest) => {
    const value = Number(values[name]);
    if (!/^\d+$/.test(values[name]) || value > highest) throw new Error(`--${name} is a number from 0 to ${highest}`);
    return value;
  };
  return {
    help: values.help,
    data: values.data ?? null,
    seconds: values.seconds === undefined ? null : number('seconds', 1e6),
    traffic: !values['no-traffic'],
    services: readServices(values.services),
    ports: Object.fromEntries(Object.keys(ports).map((name) => [name, number(name, 65535)])),
  };
}

function readServices(text) {
  const names = text === 'none' ? [] : text.split(',').map((name) => name.trim());
  for (const name of names)
    if (!Object.hasOwn(services, name))
      throw new Error(`--services knows ${Object.keys(services).join(', ')} and none; there is no ${name}`);
  return names;
}
