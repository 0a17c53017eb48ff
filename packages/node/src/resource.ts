import { readFileSync } from 'node:fs';
import os from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Attributes } from '@opentelemetry/api';
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { detectContainer } from './detect-container.ts';
import type { Environment } from './environment.ts';
import type { ResourceDetectionOptions, ResourceDetector, StartOptions } from './options.ts';
import { version } from './version.ts';

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm: 'arm32', ppc: 'ppc32' };
const systems: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };

/**
 * Describes this process (https://opentelemetry.io/docs/specs/semconv/resource/): telemetry.sdk, service, host, process,
 * runtime, OS, container, pod, deployment. Later wins: what was detected, package.json of the program, OTEL_RESOURCE_ATTRIBUTES,
 * OTEL_SERVICE_NAME, options. Nothing is detected asynchronously, so that telemetry can be encoded while exiting.
 */
export function createResource(options: StartOptions, env: Environment, oldNames: boolean): Resource {
  const fromEnvironment = env.pairs('OTEL_RESOURCE_ATTRIBUTES') ?? {};
  const attributes: Attributes = {
    ...detect(options.resourceDetection ?? {}),
    'telemetry.distro.name': '@signalbox/node',
    'telemetry.distro.version': version,
    ...fromEnvironment,
    ...defined('service.name', env.string('OTEL_SERVICE_NAME')),
    ...options.resourceAttributes,
    ...defined('service.name', options.serviceName),
    ...defined('service.version', options.serviceVersion),
    ...defined('deployment.environment.name', options.environment),
  };
  // The convention's own name for it changed; whoever sets the old one means the new one.
  attributes['deployment.environment.name'] ??= attributes['deployment.environment'] ?? env.string('OTEL_ENVIRONMENT');
  if (oldNames) attributes['deployment.environment'] ??= attributes['deployment.environment.name'];
  return defaultResource().merge(resourceFromAttributes(withoutUndefined(attributes)));
}

function detect({ detectors, keep = () => true }: ResourceDetectionOptions): Attributes {
  const wants = (detector: ResourceDetector): boolean => detectors === undefined || detectors.includes(detector);
  const found: Attributes = {
    ...(wants('host') && detectHost()),
    ...(wants('process') && detectProcess()),
    ...(wants('container') && detectContainer(process.env)),
    ...(wants('service') && detectProgram(process.argv[1])),
  };
  return Object.fromEntries(Object.entries(found).filter(([name]) => keep(name)));
}

function detectHost(): Attributes {
  return {
    'host.name': os.hostname(),
    'host.arch': architectures[os.arch()] ?? os.arch(),
    ...defined('host.id', machineId()),
    'os.type': systems[os.platform()] ?? os.platform(),
    'os.version': os.release(),
  };
}

/** `process.command_args` is left out on purpose: command lines carry secrets. */
function detectProcess(): Attributes {
  return {
    'process.pid': process.pid,
    'process.executable.path': process.execPath,
    'process.executable.name': basename(process.execPath),
    ...defined('process.command', process.argv[1]),
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    'process.runtime.description': 'Node.js',
  };
}

/** Name and version of the package that the program belongs to: a better default than `unknown_service:node`. */
function detectProgram(program: string | undefined): Attributes {
  if (program === undefined) return {};
  let folder = dirname(program);
  for (let depth = 0; depth < 20; depth += 1) {
    const found = readPackage(join(folder, 'package.json'));
    if (found !== undefined) return found;
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  return {};
}

function readPackage(path: string): Attributes | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof content !== 'object' || content === null) return undefined;
    const name: unknown = Reflect.get(content, 'name');
    const version: unknown = Reflect.get(content, 'version');
    if (typeof name !== 'string' || name === '') return undefined;
    return { 'service.name': name, ...(typeof version === 'string' && { 'service.version': version }) };
  } catch {
    // No file here, or not one we can read: the next folder up may have it.
    return undefined;
  }
}

function machineId(): string | undefined {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      const id = readFileSync(path, 'utf8').trim();
      if (id !== '') return id;
    } catch {
      // Not this one; a host without either simply has no host.id.
    }
  }
  return undefined;
}

function defined(name: string, value: string | undefined): Attributes {
  return value === undefined ? {} : { [name]: value };
}

function withoutUndefined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
