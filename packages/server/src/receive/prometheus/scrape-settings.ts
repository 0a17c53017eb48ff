import { stringify } from 'yaml';
import { REDACTED, type SettingsMap } from '../../config/settings-map.ts';
import { type ClientTls, readClientTls } from '../../config/tls-settings.ts';
import { type ScrapeProtocol, scrapeProtocols } from './fetch-metrics.ts';
import { type RelabelRule, readRelabelRules } from './relabel.ts';

export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
}

export interface ScrapeSettings {
  readonly jobName: string;
  /** All that is in force, defaults included, secrets hidden. */
  readonly yaml: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly metricsPath: string;
  readonly scheme: 'http' | 'https';
  readonly params: ReadonlyMap<string, readonly string[]>;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  /** In the order of preference. */
  readonly protocols: readonly ScrapeProtocol[];
  readonly nativeHistograms: boolean;
  /** Of a histogram that is native and classic, take both. */
  readonly alwaysClassicHistograms: boolean;
  /** 0: none. */
  readonly sampleLimit: number;
  readonly bodySizeLimit: number;
  /** Value of `Authorization`; null: none. */
  readonly authorization: string | null;
  readonly tls: ClientTls;
  readonly static: readonly TargetGroup[];
  readonly files: readonly { readonly patterns: readonly string[]; readonly refreshMs: number }[];
  readonly relabel: readonly RelabelRule[];
  readonly metricRelabel: readonly RelabelRule[];
}

const protocolNames = Object.keys(scrapeProtocols) as ScrapeProtocol[];

/** What Prometheus 3 asks for where `scrape_protocols` is not set. */
const textProtocols = protocolNames.filter((name) => name !== 'PrometheusProto');

/** Reads `config` of the receiver: `global` and `scrape_configs` as Prometheus has them. */
export function readScrapeConfigs(settings: SettingsMap): ScrapeSettings[] {
  const config = settings.table('config');
  const global = config.table('global');
  const intervalText = global.string('scrape_interval', '1m');
  const timeoutText = global.string('scrape_timeout', '10s');
  const formats = readFormats(global, { nativeHistograms: false, alwaysClassicHistograms: false, protocols: null });
  const jobs = config.tables('scrape_configs').map((job) => readJob(job, intervalText, timeoutText, formats));
  const names = new Set(jobs.map(({ jobName }) => jobName));
  if (jobs.length === 0) throw config.fail('scrape_configs', 'name at least one job');
  if (names.size < jobs.length) throw config.fail('scrape_configs', 'two jobs have the same job_name');
  return jobs;
}

interface Formats {
  readonly nativeHistograms: boolean;
  readonly alwaysClassicHistograms: boolean;
  /** null: not set. */
  readonly protocols: readonly ScrapeProtocol[] | null;
}

function readFormats(settings: SettingsMap, fallback: Formats): Formats {
  const nativeHistograms = settings.boolean('scrape_native_histograms', fallback.nativeHistograms);
  const alwaysClassicHistograms = settings.boolean(
    'always_scrape_classic_histograms',
    fallback.alwaysClassicHistograms,
  );
  const protocols = settings.has('scrape_protocols')
    ? settings.choices('scrape_protocols', protocolNames, [])
    : fallback.protocols;
  if (protocols?.length === 0) throw settings.fail('scrape_protocols', 'name at least one format');
  return { nativeHistograms, alwaysClassicHistograms, protocols };
}

function readJob(job: SettingsMap, interval: string, timeout: string, global: Formats): ScrapeSettings {
  const intervalMs = job.duration('scrape_interval', interval);
  const timeoutMs = job.duration('scrape_timeout', timeout);
  if (intervalMs < 1) throw job.fail('scrape_interval', 'it must be above 0');
  const params = job.table('params');
  const tls = job.table('tls_config');
  const { protocols, ...histograms } = readFormats(job, global);
  const read = {
    jobName: job.string('job_name'),
    intervalMs,
    timeoutMs: Math.min(timeoutMs, intervalMs),
    metricsPath: job.string('metrics_path', '/metrics'),
    scheme: job.choice('scheme', ['http', 'https'], 'http'),
    params: new Map(params.keys().map((key) => [key, params.strings(key)])),
    honorLabels: job.boolean('honor_labels', false),
    honorTimestamps: job.boolean('honor_timestamps', true),
    // Only protobuf has native histograms.
    protocols: protocols ?? (histograms.nativeHistograms ? protocolNames : textProtocols),
    ...histograms,
    sampleLimit: job.integer('sample_limit', 0, { min: 0 }),
    bodySizeLimit: job.size('body_size_limit', '64MiB'),
    authorization: readAuthorization(job),
    tls: readClientTls(tls),
    static: job.tables('static_configs').map((group) => ({
      targets: group.strings('targets'),
      labels: group.stringMap('labels'),
    })),
    files: job.tables('file_sd_configs').map((files) => ({
      patterns: files.strings('files'),
      refreshMs: files.duration('refresh_interval', '5m'),
    })),
    relabel: readRelabelRules(job, 'relabel_configs'),
    metricRelabel: readRelabelRules(job, 'metric_relabel_configs'),
  };
  return { ...read, yaml: printJob(job, read) };
}

/** The settings of a job as Prometheus prints its own: what `global` says is among them. */
function printJob(job: SettingsMap, settings: Omit<ScrapeSettings, 'yaml'>): string {
  const { jobName, timeoutMs, intervalMs, protocols, nativeHistograms, alwaysClassicHistograms } = settings;
  const read = job.effective();
  const inForce = {
    job_name: jobName,
    ...read,
    scrape_timeout: timeoutMs < intervalMs ? read.scrape_timeout : read.scrape_interval,
    scrape_protocols: protocols,
    scrape_native_histograms: nativeHistograms,
    always_scrape_classic_histograms: alwaysClassicHistograms,
  };
  return stringify(inForce, (_key, value: unknown) => (value === REDACTED ? '<secret>' : value), { lineWidth: 0 });
}

function readAuthorization(job: SettingsMap): string | null {
  const basic = job.optionalTable('basic_auth');
  const other = job.optionalTable('authorization');
  if (basic !== null && other !== null) throw job.fail('authorization', 'basic_auth is there too; write one of them');
  if (basic !== null) {
    const pair = `${basic.string('username', '')}:${basic.secret('password', '')}`;
    return `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  return other && `${other.string('type', 'Bearer')} ${other.secret('credentials')}`;
}
