import {
  parseChoice,
  parseChoices,
  parseCount,
  parseDuration,
  parseLabels,
  parseList,
  parsePort,
  parsePortOrOff,
  parseSize,
  parseText,
  parseUrl,
  parseUrls,
  within,
} from './values.ts';

/** Node's timers end at once when they are to wait for more than 24.8 days. */
const parseTimeout = within(parseDuration, '1ms', '24d');
/** Places in a request are 32-bit numbers, and texts made of its parts must fit a JavaScript string. */
const parseRequestSize = within(parseSize, '1KiB', '1GiB');

/** One setting. Its name is the flag (`--otlp-http-port`), the key in the file, and in upper case the variable (`SIGNALBOX_OTLP_HTTP_PORT`). */
export interface Option<Value, Default extends string | undefined = string | undefined> {
  parse: (text: string) => Value;
  /** As a user would write it; undefined: the setting has no value unless given. */
  default: Default;
  /** Placeholder in the help. */
  value: string;
  help: string;
}

function option<Value, Default extends string | undefined>(
  parse: (text: string) => Value,
  value: string,
  defaultText: Default,
  help: string,
): Option<Value, Default> {
  return { parse, value, default: defaultText, help };
}

/** Every setting of the program: the one table behind flags, environment, file, `--help` and the documentation. */
export const options = {
  data: option(
    parseText,
    'DIR',
    undefined,
    "Folder of the store. Default: ./.signalbox if it exists, else the user's data folder.",
  ),
  host: option(
    parseText,
    'ADDRESS',
    '127.0.0.1',
    'Address to listen on. Anything but loopback lets others on the network send and read.',
  ),
  port: option(parsePort, 'PORT', '4319', 'The page and the HTTP APIs.'),
  'otlp-http-port': option(parsePort, 'PORT', '4318', 'OTLP over HTTP.'),
  'otlp-grpc-port': option(parsePort, 'PORT', '4317', 'OTLP over gRPC.'),
  'jaeger-port': option(
    parsePortOrOff,
    'PORT',
    undefined,
    "Jaeger's query API; off for none. Default: 16686 if it is free.",
  ),
  'allowed-hosts': option(
    parseList,
    'NAMES',
    '',
    'Host names under which the page may be opened besides loopback and --host, by commas.',
  ),
  'cors-origins': option(
    parseList,
    'ORIGINS',
    '',
    'Origins from which browsers may send OTLP over HTTP, by commas; * for any.',
  ),
  'retention-traces': option(parseDuration, 'DURATION', '7d', 'How long spans are kept.'),
  'retention-logs': option(parseDuration, 'DURATION', '7d', 'How long log records are kept.'),
  'retention-metrics': option(parseDuration, 'DURATION', '7d', 'How long metric points are kept.'),
  'max-size': option(
    parseSize,
    'SIZE',
    undefined,
    'Upper limit of the store on disk; the oldest data goes first. Default: no limit.',
  ),
  'max-request-size': option(parseRequestSize, 'SIZE', '64MiB', 'Upper limit of one OTLP request after decompression.'),
  'max-inflight-size': option(
    parseSize,
    'SIZE',
    '128MiB',
    'Upper limit of requests in memory at once; beyond it senders are asked to retry.',
  ),
  'query-timeout': option(
    parseTimeout,
    'DURATION',
    '30s',
    'Upper limit of one query of the page and of the HTTP APIs.',
  ),
  'api-cors-origins': option(
    parseList,
    'ORIGINS',
    '',
    "Origins of other sites whose pages may ask Prometheus's API, by commas; * for any.",
  ),
  'promql-lookback': option(
    parseTimeout,
    'DURATION',
    '5m',
    'How old the last sample may be to be the value of a series.',
  ),
  'promql-max-samples': option(parseCount, 'N', '10000000', 'Samples that a PromQL query may read, and hold at once.'),
  'promql-max-series': option(parseCount, 'N', '200000', 'Series that a PromQL query may look at.'),
  'enable-feature': option(
    parseChoices(
      'promql-experimental-functions',
      'promql-binop-fill-modifiers',
      'promql-delayed-name-removal',
      'promql-unquoted-utf8-names',
      'use-start-timestamps',
      'type-and-unit-labels',
      // On anyway, as in Prometheus since; files that name them go on working.
      'promql-duration-expr',
      'promql-extended-range-selectors',
    ),
    'NAMES',
    '',
    'What of PromQL is experimental in Prometheus, under its names, by commas, such as promql-experimental-functions.',
  ),
  'logql-max-samples': option(parseCount, 'N', '5000000', 'Values that a LogQL query may hold at once.'),
  'logql-max-series': option(parseCount, 'N', '500', 'Series that a LogQL query may answer with.'),
  'logql-max-streams': option(parseCount, 'N', '100000', 'Streams of logs that a LogQL query may look at.'),
  'otlp-translation-strategy': option(
    parseChoice(
      'UnderscoreEscapingWithSuffixes',
      'UnderscoreEscapingWithoutSuffixes',
      'NoUTF8EscapingWithSuffixes',
      'NoTranslation',
    ),
    'NAME',
    'UnderscoreEscapingWithSuffixes',
    'How names of OTLP metrics and attributes appear in PromQL, as Prometheus has it.',
  ),
  'promote-resource-attributes': option(
    parseList,
    'KEYS',
    '',
    'Resource attributes that are labels of every series in PromQL, by commas; * for all.',
  ),
  'keep-identifying-resource-attributes': option(
    parseChoice('true', 'false'),
    'true|false',
    'false',
    'Whether target_info has service.name and what else makes up job and instance.',
  ),
  'promote-scope-metadata': option(
    parseChoice('true', 'false'),
    'true|false',
    'false',
    'Whether series have the labels otel_scope_name, otel_scope_version and otel_scope_<attribute>.',
  ),
  'rule-files': option(
    parseList,
    'GLOBS',
    '',
    "Files of recording and alerting rules in Prometheus's format, by commas. SIGHUP reads them again.",
  ),
  'evaluation-interval': option(
    within(parseDuration, '1s', '24d'),
    'DURATION',
    '1m',
    'How often rules are evaluated whose group does not say.',
  ),
  'alertmanager-urls': option(parseUrls, 'URLS', '', 'Alertmanagers to send alerts to, by commas.'),
  notifications: option(
    parseText,
    'FILE',
    undefined,
    "Routes and receivers of alerts (webhook, Slack, e-mail) in Alertmanager's format, for those who run none.",
  ),
  'external-url': option(
    parseUrl,
    'URL',
    undefined,
    'Address under which people reach the page, for links in notifications. Default: what it listens on.',
  ),
  'external-labels': option(parseLabels, 'LABELS', '', 'Labels that every alert gets, as name=value by commas.'),
  'engine-memory': option(parseSize, 'SIZE', '2GiB', 'Upper limit of memory for the embedded ClickHouse.'),
  'clickhouse-url': option(
    parseUrl,
    'URL',
    undefined,
    'Use a ClickHouse server over HTTP in place of the embedded one.',
  ),
  'clickhouse-user': option(parseText, 'NAME', 'default', 'Its user.'),
  'clickhouse-password': option(
    parseText,
    'PASSWORD',
    undefined,
    'Its password; better given as an environment variable.',
  ),
  'clickhouse-database': option(parseText, 'NAME', 'signalbox', 'Its database.'),
  'log-level': option(
    parseChoice('debug', 'info', 'warn', 'error'),
    'LEVEL',
    'info',
    'What the program says about itself: debug, info, warn or error and what is worse.',
  ),
  'log-format': option(parseChoice('text', 'json'), 'FORMAT', 'text', 'text for people, json for machines.'),
  'shutdown-timeout': option(parseTimeout, 'DURATION', '5s', 'How long a stop may take before it is forced.'),
} as const satisfies Record<string, Option<unknown>>;

export type OptionName = keyof typeof options;

/** The settings in force, by their names. The data folder is always decided, and absolute. */
export type Config = Omit<Settings, 'data'> & { data: string };

type Settings = {
  [Name in OptionName]:
    | ReturnType<(typeof options)[Name]['parse']>
    | ((typeof options)[Name]['default'] extends string ? never : undefined);
};

export const optionNames = Object.keys(options) as OptionName[];

/** `otlp-http-port` → `SIGNALBOX_OTLP_HTTP_PORT` */
export function environmentVariable(name: OptionName): string {
  return `SIGNALBOX_${name.toUpperCase().replaceAll('-', '_')}`;
}
