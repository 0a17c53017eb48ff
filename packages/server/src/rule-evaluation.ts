import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NotificationConfig } from './alert/notify/notification-config.ts';
import { Notifier } from './alert/notify/notifier.ts';
import { parseNotificationConfig } from './alert/notify/parse-notification-config.ts';
import { describeProblem, findRuleFiles } from './alert/rules/find-rule-files.ts';
import { ruleQuery } from './alert/rules/promql-rule-query.ts';
import { RuleManager } from './alert/rules/rule-manager.ts';
import { groupState } from './alert/rules/rule-states.ts';
import { ConfigError } from './config/config-error.ts';
import type { Config } from './config/options.ts';
import type { Logger } from './pipeline/logger.ts';
import { PromqlEngine } from './query/promql/engine.ts';
import { type FeatureOptions, featureOptions } from './query/promql/promql-features.ts';
import type { SeriesCatalog } from './query/promql-store/series-catalog.ts';
import { StoreQueryable } from './query/promql-store/store-queryable.ts';
import type { RuleStates } from './query/rule-states.ts';
import type { SilenceBook } from './query/silence-book.ts';
import { ruleSampleWriter } from './rule-sample-writer.ts';
import type { Store } from './store/store.ts';

/** As often receivers hear of an alert that goes on firing; Prometheus's own default. */
const RESEND_MS = 60_000;

export interface RuleEvaluationOptions {
  readonly config: Config;
  readonly store: Store;
  readonly catalog: SeriesCatalog;
  /** Where people open this program, when the settings do not say. */
  readonly pageUrl: string;
  readonly log: Logger;
}

/** Evaluates the rules of the settings over the store, and tells the receivers of the settings about alerts. */
export class RuleEvaluation implements RuleStates {
  readonly #options: RuleEvaluationOptions;
  readonly #manager: RuleManager;
  readonly #notifier: Notifier;
  readonly #features: FeatureOptions;

  /** Throws ConfigError when the file of receivers has mistakes. */
  constructor(options: RuleEvaluationOptions) {
    const { config, store, catalog, pageUrl, log } = options;
    this.#options = options;
    this.#features = featureOptions(config['enable-feature']);
    const folder = join(config.data, 'alerts');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const externalUrl = new URL(config['external-url'] ?? pageUrl);
    const externalLabels = new Map(config['external-labels'].map((pair) => pair.split('=', 2) as [string, string]));
    this.#notifier = new Notifier({
      folder,
      alertmanagerUrls: config['alertmanager-urls'],
      config: readNotifications(config.notifications),
      externalLabels,
      externalUrl,
      onError: (error) => log.error('An alert could not be told; it is tried again', error),
    });
    const engine = {
      ...this.#features,
      lookbackMs: config['promql-lookback'],
      maxSamples: config['promql-max-samples'],
    };
    this.#manager = new RuleManager({
      query: ruleQuery((signal) => {
        const nowMs = Date.now();
        const context = {
          connection: store.connection,
          signal: signal ?? new AbortController().signal,
          deadlineMs: nowMs + config['query-timeout'],
          nowMs,
        };
        const source = new StoreQueryable(context, catalog, engine);
        return new PromqlEngine(source, { ...engine, timeoutMs: config['query-timeout'] });
      }),
      write: ruleSampleWriter(store.metrics),
      notify: (notices) => this.#notifier.tell(notices),
      statePath: join(folder, 'rules.json'),
      defaultIntervalMs: config['evaluation-interval'],
      resendMs: RESEND_MS,
      externalLabels,
      externalUrl,
      onError: (error) => log.error('Rules could not be evaluated', error),
    });
  }

  /** Reads the rules and begins to evaluate them. Throws ConfigError when a file has mistakes. */
  async start(): Promise<void> {
    await this.#load();
    this.#notifier.start();
    this.#manager.start();
    const rules = this.#manager.groups.flatMap((group) => group.rules);
    if (this.#manager.groups.some((group) => group.alertingRules.length > 0) && !this.#notifier.hasReceivers) {
      this.#options.log.warn('Alerts are shown only: neither --alertmanager-urls nor --notifications names a receiver');
    }
    this.#options.log.info(`${rules.length} rules in ${this.#manager.groups.length} groups`);
  }

  /** Reads the files again. When they have mistakes the rules stay as they are, and the log says so. */
  async reload(): Promise<void> {
    const { log } = this.#options;
    try {
      await this.#load();
      log.info('The files of rules were read again');
    } catch (error) {
      log.error('The rules stay as they were', error);
    }
  }

  /** Resolves when nothing is evaluated or sent, and what is left to send is on disk. */
  async shutdown(): Promise<void> {
    await this.#manager.shutdown();
    await this.#notifier.shutdown();
  }

  get silences(): SilenceBook {
    return this.#notifier.silences;
  }

  groups(): ReturnType<RuleStates['groups']> {
    return this.#manager.groups.map((group) => groupState(group, this.#features.parser));
  }

  alertmanagers(): readonly string[] {
    return this.#options.config['alertmanager-urls'].map((text) => {
      const url = new URL(text);
      url.username = '';
      url.password = '';
      return `${url.href.replace(/\/$/, '')}/api/v2/alerts`;
    });
  }

  async #load(): Promise<void> {
    const { config, log } = this.#options;
    const { files, problems, warnings } = findRuleFiles(config['rule-files'], process.cwd(), this.#features.parser);
    if (problems.length > 0) throw new ConfigError(problems.map(describeProblem).join('\n'));
    for (const warning of warnings) log.warn(describeProblem(warning));
    await this.#manager.load(files);
  }
}

function readNotifications(path: string | undefined): NotificationConfig | undefined {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${path} can not be read: ${(error as Error).message}`);
  }
  const { config, problems } = parseNotificationConfig(text);
  if (problems.length > 0) {
    throw new ConfigError(problems.map((problem) => describeProblem({ path, ...problem })).join('\n'));
  }
  return config;
}
