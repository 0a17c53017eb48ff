import { builtinFunctions } from '../../go-template/builtin-functions.ts';
import { executeTemplate, type TemplateFunction } from '../../go-template/execute.ts';
import { GoMap, GoStruct, type GoValue } from '../../go-template/go-values.ts';
import type { ParsedTemplate } from '../../go-template/nodes.ts';
import { parseTemplate } from '../../go-template/parser.ts';
import { prometheusFunctions, type TemplateEnvironment } from './prometheus-functions.ts';

/** What an alert's label or annotation may refer to: `$labels`, `$externalLabels`, `$externalURL`, `$value`. */
export interface AlertTemplateData {
  readonly labels: Iterable<readonly [string, string]>;
  readonly externalLabels: Iterable<readonly [string, string]>;
  readonly value: number | { toString(): string };
}

class AlertData extends GoStruct {
  readonly typeName = 'template.AlertTemplateData';
  readonly fields: ReadonlyMap<string, GoValue>;

  constructor(data: AlertTemplateData, externalUrl: URL) {
    super();
    this.fields = new Map<string, GoValue>([
      ['Labels', new GoMap(data.labels, '')],
      ['ExternalLabels', new GoMap(data.externalLabels, '')],
      ['ExternalURL', externalUrl.href.replace(/\/$/, '')],
      ['Value', data.value],
    ]);
  }
}

/** The short names that Prometheus declares at the head of every alert's template. */
const DECLARATIONS =
  '{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}';

const functionNames = new Set([
  ...Object.keys(builtinFunctions),
  ...Object.keys(prometheusFunctions({ timeMs: 0, externalUrl: new URL('http://localhost'), query: async () => [] })),
]);

/** Parses the template of a label or an annotation of the alert `alertName`. Throws TemplateError. */
export function parseAlertTemplate(alertName: string, source: string): ParsedTemplate {
  return parseTemplate(`__alert_${alertName}`, DECLARATIONS + source, functionNames);
}

/** The text of a label or an annotation. Throws TemplateError, and what `environment.query` throws. */
export async function expandAlertTemplate(
  template: ParsedTemplate,
  data: AlertTemplateData,
  environment: TemplateEnvironment,
): Promise<string> {
  const functions = new Map<string, TemplateFunction>(
    Object.entries({ ...builtinFunctions, ...prometheusFunctions(environment) }),
  );
  return await executeTemplate(template, new AlertData(data, environment.externalUrl), functions);
}
