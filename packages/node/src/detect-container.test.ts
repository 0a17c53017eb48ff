import os from 'node:os';
import { expect, test } from 'vitest';
import { detectContainer } from './detect-container.ts';

const id = `${'a'.repeat(60)}0123`;
const uid = '9c5e6b3e-7f0e-4b7a-9a43-1f1f0e0f2a3b';

function detect(files: Record<string, string>, variables: Record<string, string> = {}) {
  return detectContainer(variables, (path) => files[path]);
}

test.each([
  ['Docker, cgroup v1', { '/proc/self/cgroup': `12:pids:/docker/${id}\n1:name=systemd:/docker/${id}\n` }],
  ['systemd, cgroup v1', { '/proc/self/cgroup': `5:cpu:/system.slice/docker-${id}.scope\n` }],
  ['Kubernetes, cgroup v1', { '/proc/self/cgroup': `4:memory:/kubepods/burstable/pod${uid}/${id}\n` }],
  [
    'Docker, cgroup v2',
    {
      '/proc/self/cgroup': '0::/\n',
      '/proc/self/mountinfo': `600 590 254:1 /var/lib/docker/containers/${id}/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/vda1 rw\n`,
    },
  ],
  [
    'Podman, cgroup v2',
    {
      '/proc/self/cgroup': '0::/\n',
      '/proc/self/mountinfo': `983 961 0:56 /containers/overlay-containers/${id}/userdata/hostname /etc/hostname rw - tmpfs tmpfs rw\n`,
    },
  ],
])('the id of a container of %s', (_name, files) => {
  expect(detect(files)).toEqual({ 'container.id': id });
});

test('nothing outside of containers', () => {
  const files = {
    '/proc/self/cgroup': '0::/user.slice/user-1000.slice/session-3.scope\n',
    '/proc/self/mountinfo': '25 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n',
  };
  expect(detect(files)).toEqual({});
  expect(detect({})).toEqual({});
});

test('a pod by what Kubernetes puts into it, and rather by the downward API', () => {
  const files = {
    '/var/run/secrets/kubernetes.io/serviceaccount/namespace': 'shop\n',
    '/proc/self/mountinfo': `900 880 254:1 /var/lib/kubelet/pods/${uid}/etc-hosts /etc/hosts rw - ext4 /dev/vda1 rw\n`,
  };
  const inside = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };
  expect(detect(files, inside)).toEqual({
    'k8s.pod.name': os.hostname(),
    'k8s.namespace.name': 'shop',
    'k8s.pod.uid': uid,
  });
  const told = { POD_NAME: 'p-1', POD_NAMESPACE: 'n', POD_UID: 'u', NODE_NAME: 'node-7' };
  expect(detect(files, { ...inside, ...told })).toEqual({
    'k8s.pod.name': 'p-1',
    'k8s.namespace.name': 'n',
    'k8s.pod.uid': 'u',
    'k8s.node.name': 'node-7',
  });
  expect(detect(files)).toEqual({});
});
