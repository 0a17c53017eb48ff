import { didYouMean } from '../config/nearest-name.ts';
import type { SettingText } from '../config/settings-map.ts';
import type { Signal } from '../pipeline/signal.ts';
import type { ConfiguredComponents } from './graph-config.ts';
import type { PipelineConfig, ServiceConfig } from './service-config.ts';

/** What is wrong with how pipelines put components together, each with its place; empty: nothing. */
export function checkPipelines(service: ServiceConfig, components: ConfiguredComponents): string[] {
  const problems = [
    ...checkNames(components),
    ...service.extensions.flatMap((name) => checkReference(name, components.extension, 'extension')),
    ...service.pipelines.flatMap((pipeline) => checkPipeline(pipeline, components)),
  ];
  // Where a name is wrong, what follows from it is not worth a word.
  return problems.length > 0
    ? problems
    : [...checkConnectors(service.pipelines, components), ...checkCycles(service.pipelines, components)];
}

/** A connector stands in both lists of a pipeline, so its name must not be another component's as well. */
function checkNames({ connector, receiver, exporter }: ConfiguredComponents): string[] {
  return [...connector.keys()]
    .filter((id) => receiver.has(id) || exporter.has(id))
    .map((id) => `connectors::${id}: the name is also that of a ${receiver.has(id) ? 'receiver' : 'exporter'}`);
}

function checkPipeline(pipeline: PipelineConfig, components: ConfiguredComponents): string[] {
  const { signal } = pipeline;
  const { receiver, processor, exporter, connector } = components;
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const name of pipeline.receivers) {
    problems.push(...checkReference(name, union(receiver, connector), 'receiver'));
    const factory = receiver.get(name.text)?.factory;
    if (factory && !factory.signals.includes(signal)) problems.push(unsupported(name, signal, factory.signals));
    const makes = connector.get(name.text)?.factory.makes;
    const made = [...new Set(Object.values(makes ?? {}).flat())];
    if (makes && !made.includes(signal)) problems.push(unsupported(name, signal, made));
  }
  for (const name of pipeline.processors) {
    problems.push(...checkReference(name, processor, 'processor'));
    const factory = processor.get(name.text)?.factory;
    if (factory && !factory.signals.includes(signal)) problems.push(unsupported(name, signal, factory.signals));
    if (seen.has(name.text)) problems.push(name.fail(`"${name.text}" stands in the pipeline twice`).message);
    seen.add(name.text);
  }
  for (const name of pipeline.exporters) {
    problems.push(...checkReference(name, union(exporter, connector), 'exporter'));
    const factory = exporter.get(name.text)?.factory;
    if (factory && !factory.signals.includes(signal)) problems.push(unsupported(name, signal, factory.signals));
    const makes = connector.get(name.text)?.factory.makes;
    if (makes && makes[signal] === undefined) problems.push(unsupported(name, signal, Object.keys(makes)));
  }
  return problems;
}

function union(...maps: readonly ReadonlyMap<string, unknown>[]): ReadonlySet<string> {
  return new Set(maps.flatMap((map) => [...map.keys()]));
}

function checkReference(
  name: SettingText,
  known: ReadonlySet<string> | ReadonlyMap<string, unknown>,
  kind: string,
): string[] {
  if (known.has(name.text)) return [];
  const names = [...known.keys()];
  const list = names.length === 0 ? `no ${kind} is configured` : `configured: ${names.join(', ')}`;
  return [name.fail(`there is no ${kind} "${name.text}"${didYouMean(name.text, names)} (${list})`).message];
}

function unsupported(name: SettingText, signal: Signal, supported: readonly string[]): string {
  return name.fail(`"${name.text}" does not support ${signal}, only ${supported.join(', ')}`).message;
}

/** A connector that is used at one end only would lose records, or give none. */
function checkConnectors(pipelines: readonly PipelineConfig[], { connector }: ConfiguredComponents): string[] {
  const problems: string[] = [];
  for (const [id, { factory }] of connector) {
    const giving = pipelines.flatMap((p) => p.exporters.filter(({ text }) => text === id).map((at) => ({ at, p })));
    const taking = pipelines.flatMap((p) => p.receivers.filter(({ text }) => text === id).map((at) => ({ at, p })));
    const leads = (from: Signal, to: Signal) => factory.makes[from]?.includes(to) ?? false;
    for (const { at, p } of giving) {
      if (!taking.some((other) => leads(p.signal, other.p.signal))) {
        problems.push(
          at.fail(`connector "${id}" is an exporter here, but no pipeline that suits receives from it`).message,
        );
      }
    }
    for (const { at, p } of taking) {
      if (!giving.some((other) => leads(other.p.signal, p.signal))) {
        problems.push(
          at.fail(`connector "${id}" is a receiver here, but no pipeline that suits exports to it`).message,
        );
      }
    }
  }
  return problems;
}

function checkCycles(pipelines: readonly PipelineConfig[], { connector }: ConfiguredComponents): string[] {
  const done = new Set<PipelineConfig>();
  const visit = (pipeline: PipelineConfig, path: readonly PipelineConfig[]): string[] => {
    if (path.includes(pipeline)) {
      const names = [...path.slice(path.indexOf(pipeline)), pipeline].map(({ name }) => name);
      return [pipeline.fail(`records would go round in a circle: ${names.join(' → ')}`).message];
    }
    if (done.has(pipeline)) return [];
    const next = pipelines.filter(({ receivers }) =>
      receivers.some(({ text }) => connector.has(text) && pipeline.exporters.some((name) => name.text === text)),
    );
    const problems = next.flatMap((other) => visit(other, [...path, pipeline]));
    done.add(pipeline);
    return problems;
  };
  return pipelines.flatMap((pipeline) => visit(pipeline, [])).slice(0, 1);
}
