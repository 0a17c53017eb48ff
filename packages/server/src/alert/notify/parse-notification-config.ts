import { parsePromqlDuration } from '@signalbox/query-language';
import type { Node } from 'yaml';
import { type YamlProblem, YamlReader } from '../yaml-reader.ts';
import { createMatcher, type Matcher, parseMatcher } from './matcher.ts';
import type {
  EmailConfig,
  InhibitRule,
  NotificationConfig,
  Receiver,
  Route,
  SlackConfig,
  WebhookConfig,
} from './notification-config.ts';

const FILE_FIELDS = ['global', 'route', 'receivers', 'inhibit_rules'];
const GLOBAL_FIELDS = [
  'smtp_smarthost',
  'smtp_from',
  'smtp_auth_username',
  'smtp_auth_password',
  'smtp_require_tls',
  'slack_api_url',
  'resolve_timeout',
];
const ROUTE_FIELDS = [
  'receiver',
  'matchers',
  'match',
  'match_re',
  'continue',
  'group_by',
  'group_wait',
  'group_interval',
  'repeat_interval',
  'routes',
];
const MAX_ROUTE_DEPTH = 20;

const DEFAULT_ROUTE: Omit<Route, 'receiver' | 'matchers' | 'continue' | 'routes'> = {
  groupBy: [],
  groupWaitMs: 30_000,
  groupIntervalMs: 5 * 60_000,
  repeatIntervalMs: 4 * 3_600_000,
};

/**
 * Reads a part of Alertmanager's configuration (https://prometheus.io/docs/alerting/latest/configuration/): the tree of routes,
 * inhibition, and receivers by webhook, Slack and e-mail. The result must not be used when there are problems.
 */
export function parseNotificationConfig(text: string): {
  readonly config: NotificationConfig;
  readonly problems: readonly YamlProblem[];
} {
  const yaml = new YamlReader(text);
  const config = new NotificationConfigParser(yaml).config();
  return { config, problems: yaml.problems };
}

type Fields = ReadonlyMap<string, Node | null>;

class NotificationConfigParser {
  readonly #yaml: YamlReader;
  readonly #file: Fields;
  readonly #global: Fields;

  constructor(yaml: YamlReader) {
    this.#yaml = yaml;
    this.#file = yaml.fields(yaml.root, 'the file', FILE_FIELDS) ?? new Map();
    this.#global = yaml.fields(this.#file.get('global'), 'global', GLOBAL_FIELDS) ?? new Map();
  }

  config(): NotificationConfig {
    const receivers = new Map(
      this.#yaml.list(this.#file.get('receivers'), 'receivers').map((node) => {
        const receiver = this.#receiver(node);
        return [receiver.name, receiver];
      }),
    );
    const root = this.#file.get('route');
    if (!root) this.#yaml.report(this.#yaml.root, 'a route with a receiver is missing');
    const route = this.#route(
      root,
      { ...DEFAULT_ROUTE, receiver: '', matchers: [], continue: false, routes: [] },
      receivers,
      0,
    );
    const inhibitRules = this.#yaml
      .list(this.#file.get('inhibit_rules'), 'inhibit_rules')
      .map((node) => this.#inhibitRule(node));
    return { route, receivers, inhibitRules };
  }

  #route(node: Node | null | undefined, parent: Route, receivers: ReadonlyMap<string, Receiver>, depth: number): Route {
    const fields = this.#yaml.fields(node, 'a route', ROUTE_FIELDS) ?? new Map();
    if (depth > MAX_ROUTE_DEPTH) {
      this.#yaml.report(node, `routes are nested deeper than ${MAX_ROUTE_DEPTH}`);
      return parent;
    }
    const receiver = this.#yaml.text(fields.get('receiver'), 'receiver') || parent.receiver;
    if (!receivers.has(receiver))
      this.#yaml.report(fields.get('receiver') ?? node, `there is no receiver "${receiver}"`);
    const groupBy = this.#texts(fields.get('group_by'), 'group_by');
    const route: Route = {
      receiver,
      matchers: this.#matchers(fields),
      continue: this.#boolean(fields.get('continue'), 'continue', false),
      groupBy: fields.has('group_by') ? (groupBy.includes('...') ? 'all' : groupBy) : parent.groupBy,
      groupWaitMs: this.#duration(fields.get('group_wait'), 'group_wait') ?? parent.groupWaitMs,
      groupIntervalMs: this.#duration(fields.get('group_interval'), 'group_interval') ?? parent.groupIntervalMs,
      repeatIntervalMs: this.#duration(fields.get('repeat_interval'), 'repeat_interval') ?? parent.repeatIntervalMs,
      routes: [],
    };
    const routes = this.#yaml
      .list(fields.get('routes'), 'routes')
      .map((child) => this.#route(child, route, receivers, depth + 1));
    return { ...route, routes };
  }

  #matchers(fields: Fields): Matcher[] {
    return [
      ...this.#matcherList(fields.get('matchers'), 'matchers'),
      ...this.#matcherMap(fields.get('match'), 'match', false),
      ...this.#matcherMap(fields.get('match_re'), 'match_re', true),
    ];
  }

  #matcherList(node: Node | null | undefined, what: string): Matcher[] {
    return this.#yaml.list(node, what).flatMap((element) => {
      try {
        return [parseMatcher(this.#yaml.text(element, what))];
      } catch (error) {
        this.#yaml.report(element, `${what}: ${(error as Error).message}`);
        return [];
      }
    });
  }

  #matcherMap(node: Node | null | undefined, what: string, isRegex: boolean): Matcher[] {
    return Array.from(this.#yaml.texts(node, what)).flatMap(([name, value]) => {
      try {
        return [createMatcher(name, value, true, isRegex)];
      } catch (error) {
        this.#yaml.report(node, `${what}.${name}: ${(error as Error).message}`);
        return [];
      }
    });
  }

  #inhibitRule(node: Node | null): InhibitRule {
    const known = [
      'source_matchers',
      'target_matchers',
      'source_match',
      'target_match',
      'source_match_re',
      'target_match_re',
      'equal',
    ];
    const fields = this.#yaml.fields(node, 'an inhibition', known) ?? new Map();
    const matchers = (side: string) => [
      ...this.#matcherList(fields.get(`${side}_matchers`), `${side}_matchers`),
      ...this.#matcherMap(fields.get(`${side}_match`), `${side}_match`, false),
      ...this.#matcherMap(fields.get(`${side}_match_re`), `${side}_match_re`, true),
    ];
    return { source: matchers('source'), target: matchers('target'), equal: this.#texts(fields.get('equal'), 'equal') };
  }

  #receiver(node: Node | null): Receiver {
    const known = ['name', 'webhook_configs', 'slack_configs', 'email_configs'];
    const fields = this.#yaml.fields(node, 'a receiver', known) ?? new Map();
    const name = this.#yaml.text(fields.get('name'), 'name');
    if (name === '') this.#yaml.report(node, 'a receiver needs a name');
    const list = <Config>(field: string, read: (node: Node | null) => Config | undefined) =>
      this.#yaml.list(fields.get(field), field).flatMap((element) => read(element) ?? []);
    return {
      name,
      webhooks: list('webhook_configs', (element) => this.#webhook(element)),
      slacks: list('slack_configs', (element) => this.#slack(element)),
      emails: list('email_configs', (element) => this.#email(element)),
    };
  }

  #webhook(node: Node | null): WebhookConfig | undefined {
    const fields = this.#yaml.fields(node, 'a webhook', ['url', 'send_resolved', 'max_alerts', 'http_headers']);
    const url = fields && this.#url(fields.get('url') ?? node, this.#yaml.text(fields.get('url'), 'url'));
    if (!url) return undefined;
    return {
      url,
      sendResolved: this.#boolean(fields.get('send_resolved'), 'send_resolved', true),
      maxAlerts: this.#yaml.integer(fields.get('max_alerts'), 'max_alerts'),
      headers: Object.fromEntries(this.#yaml.texts(fields.get('http_headers'), 'http_headers')),
    };
  }

  #slack(node: Node | null): SlackConfig | undefined {
    const fields = this.#yaml.fields(node, 'a Slack receiver', ['api_url', 'channel', 'username', 'send_resolved']);
    if (!fields) return undefined;
    const given =
      this.#yaml.text(fields.get('api_url'), 'api_url') ||
      this.#yaml.text(this.#global.get('slack_api_url'), 'slack_api_url');
    const url = this.#url(fields.get('api_url') ?? node, given);
    if (!url) return undefined;
    return {
      url,
      channel: this.#yaml.text(fields.get('channel'), 'channel'),
      username: this.#yaml.text(fields.get('username'), 'username') || 'Signalbox',
      sendResolved: this.#boolean(fields.get('send_resolved'), 'send_resolved', false),
    };
  }

  #email(node: Node | null): EmailConfig | undefined {
    const known = ['to', 'from', 'smarthost', 'auth_username', 'auth_password', 'require_tls', 'send_resolved'];
    const fields = this.#yaml.fields(node, 'an e-mail receiver', known);
    if (!fields) return undefined;
    const text = (field: string, global: string) =>
      this.#yaml.text(fields.get(field), field) || this.#yaml.text(this.#global.get(global), global);
    const smarthost = text('smarthost', 'smtp_smarthost');
    const [, host, port] = /^\[?([^[\]]+?)\]?:(\d{1,5})$/.exec(smarthost) ?? [];
    const to = text('to', '');
    const from = text('from', 'smtp_from');
    if (to === '') this.#yaml.report(node, 'an e-mail receiver needs `to`');
    if (from === '') this.#yaml.report(node, 'an e-mail receiver needs `from`, or the global smtp_from');
    if (host === undefined || port === undefined) {
      this.#yaml.report(
        fields.get('smarthost') ?? node,
        'an e-mail receiver needs `smarthost` (host:port), or the global smtp_smarthost',
      );
      return undefined;
    }
    return {
      to,
      from,
      host,
      port: Number(port),
      username: text('auth_username', 'smtp_auth_username'),
      password: text('auth_password', 'smtp_auth_password'),
      requireTls: this.#boolean(fields.get('require_tls') ?? this.#global.get('smtp_require_tls'), 'require_tls', true),
      sendResolved: this.#boolean(fields.get('send_resolved'), 'send_resolved', false),
    };
  }

  #url(node: Node | null, text: string): URL | undefined {
    if (URL.canParse(text) && /^https?:/.test(text)) return new URL(text);
    this.#yaml.report(node, 'expected an http or https address');
    return undefined;
  }

  #texts(node: Node | null | undefined, what: string): string[] {
    return this.#yaml.list(node, what).map((element) => this.#yaml.text(element, what));
  }

  #boolean(node: Node | null | undefined, what: string, otherwise: boolean): boolean {
    const text = this.#yaml.text(node, what);
    if (text === '') return otherwise;
    if (text !== 'true' && text !== 'false') this.#yaml.report(node, `${what}: expected true or false`);
    return text === 'true';
  }

  #duration(node: Node | null | undefined, what: string): number | undefined {
    const text = this.#yaml.text(node, what);
    if (text === '') return undefined;
    const milliseconds = parsePromqlDuration(text);
    if (milliseconds === undefined)
      this.#yaml.report(node, `${what}: not a valid duration string: ${JSON.stringify(text)}`);
    return milliseconds;
  }
}
