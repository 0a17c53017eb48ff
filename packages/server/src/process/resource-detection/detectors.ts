import { readFile } from 'node:fs/promises';
import { arch, hostname, platform, release, userInfo, version } from 'node:os';
import { basename } from 'node:path';
import type { AttributeEntry } from '@signalbox/records';

/** Attributes of where this process runs; an attribute that cannot be had is left out. */
export type Detector = (environment: NodeJS.ProcessEnv) => Promise<AttributeEntry[]>;

/** Names as in the Collector's file. */
export const DETECTORS = {
  env: detectEnv,
  system: detectSystem,
  host: detectSystem,
  process: detectProcess,
  docker: detectContainer,
  k8s: detectKubernetes,
} as const satisfies Record<string, Detector>;

export type DetectorName = keyof typeof DETECTORS;

/** Attributes that are only added when `resource_attributes` enables them, as upstream has it. */
export const OPTIONAL_ATTRIBUTES: ReadonlySet<string> = new Set([
  'host.arch',
  'host.id',
  'os.description',
  'os.version',
]);

/** `OTEL_RESOURCE_ATTRIBUTES`: `key=value` pairs with commas between, values percent-encoded (OpenTelemetry, "Resource SDK"). */
async function detectEnv(environment: NodeJS.ProcessEnv): Promise<AttributeEntry[]> {
  const text = environment.OTEL_RESOURCE_ATTRIBUTES ?? '';
  return text.split(',').flatMap((pair): AttributeEntry[] => {
    const at = pair.indexOf('=');
    const key = pair.slice(0, Math.max(at, 0)).trim();
    return key === '' ? [] : [[key, percentDecoded(pair.slice(at + 1).trim())]];
  });
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) {
      return text;
    }
    throw error;
  }
}

const OS_TYPES: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };
const ARCHES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: 'x86', arm: 'arm32' };

async function detectSystem(): Promise<AttributeEntry[]> {
  const machineId = await textOf('/etc/machine-id');
  return [
    ['host.name', hostname()],
    ['os.type', OS_TYPES[platform()] ?? platform()],
    ['host.arch', ARCHES[arch()] ?? arch()],
    ...(machineId === '' ? [] : [['host.id', machineId] as const]),
    ['os.description', version()],
    ['os.version', release()],
  ];
}

async function detectProcess(): Promise<AttributeEntry[]> {
  return [
    ['process.pid', BigInt(process.pid)],
    ['process.executable.name', basename(process.execPath)],
    ['process.executable.path', process.execPath],
    ['process.owner', userInfo().username],
    ['process.runtime.name', 'nodejs'],
    ['process.runtime.version', process.versions.node],
  ];
}

/** The container's id: in the paths of its mounts, and with the older control groups in theirs. */
async function detectContainer(): Promise<AttributeEntry[]> {
  const text = `${await textOf('/proc/self/mountinfo')}\n${await textOf('/proc/self/cgroup')}`;
  const id = /(?:containers?|docker|kubepods)[^\n]*?[/-]([0-9a-f]{64})/.exec(text)?.[1];
  return id === undefined ? [] : [['container.id', id]];
}

/** Variables that a pod is usually given by the downward API, first come first served. */
const KUBERNETES_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  'k8s.cluster.name': ['K8S_CLUSTER_NAME', 'CLUSTER_NAME'],
  'k8s.namespace.name': ['K8S_NAMESPACE_NAME', 'K8S_NAMESPACE', 'POD_NAMESPACE', 'NAMESPACE'],
  'k8s.node.name': ['K8S_NODE_NAME', 'NODE_NAME'],
  'k8s.pod.name': ['K8S_POD_NAME', 'POD_NAME', 'HOSTNAME'],
  'k8s.pod.uid': ['K8S_POD_UID', 'POD_UID'],
  'k8s.container.name': ['K8S_CONTAINER_NAME', 'CONTAINER_NAME'],
  'k8s.deployment.name': ['K8S_DEPLOYMENT_NAME'],
};

async function detectKubernetes(environment: NodeJS.ProcessEnv): Promise<AttributeEntry[]> {
  if (environment.KUBERNETES_SERVICE_HOST === undefined) {
    return [];
  }
  const found = new Map<string, string>();
  for (const [attribute, variables] of Object.entries(KUBERNETES_VARIABLES)) {
    const value = variables.map((name) => environment[name]).find((text) => text !== undefined && text !== '');
    if (value !== undefined) {
      found.set(attribute, value);
    }
  }
  if (!found.has('k8s.namespace.name')) {
    const namespace = await textOf('/var/run/secrets/kubernetes.io/serviceaccount/namespace');
    if (namespace !== '') {
      found.set('k8s.namespace.name', namespace);
    }
  }
  return [...found];
}

/** '' when the file cannot be read: not every system has it. */
async function textOf(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error) {
      return '';
    }
    throw error;
  }
}
