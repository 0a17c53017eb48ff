import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ExtensionFactory } from '../pipeline/component-factory.ts';
import { settingsOf, testContext } from '../pipeline/testing/component-context.ts';
import { basicAuthFactory } from './basic-auth.ts';
import { bearerTokenAuthFactory } from './bearer-token-auth.ts';

async function started(factory: ExtensionFactory, yaml: string) {
  const settings = settingsOf(yaml);
  const extension = factory.configure(settings).create(testContext());
  settings.finish();
  await extension.start();
  return {
    headers: () => extension.clientAuthenticator?.headers(),
    check: (headers: Record<string, string>) => extension.serverAuthenticator?.authenticate(headers),
  };
}

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

describe('bearertokenauth', () => {
  test('lets in whoever has one of the tokens, and sends the first', async () => {
    const { check, headers } = await started(bearerTokenAuthFactory, 'tokens: [old, new]\n');
    expect(() => check({ authorization: 'Bearer new' })).not.toThrow();
    expect(() => check({ authorization: 'Bearer old' })).not.toThrow();
    expect(() => check({ authorization: 'Bearer ol' })).toThrow('The token is wrong');
    expect(() => check({ authorization: 'old' })).toThrow('The token is wrong');
    expect(() => check({})).toThrow('A token is required');
    expect(headers()).toEqual({ authorization: 'Bearer old' });
  });

  test('takes scheme and header from the file, and a token that changes from another', async () => {
    const path = join(testContext().folder(), 'token');
    writeFileSync(path, 'secret\n');
    const yaml = `scheme: Api-Key\nheader: X-Key\nfilename: ${path}\n`;
    const { check, headers } = await started(bearerTokenAuthFactory, yaml);
    expect(headers()).toEqual({ 'x-key': 'Api-Key secret' });
    expect(() => check({ 'x-key': 'Api-Key secret' })).not.toThrow();
  });

  test('an empty file lets nobody in', async () => {
    const path = join(testContext().folder(), 'token');
    writeFileSync(path, '\n');
    const { check } = await started(bearerTokenAuthFactory, `filename: ${path}\n`);
    expect(() => check({ authorization: 'Bearer ' })).toThrow();
    expect(() => check({ authorization: '' })).toThrow();
  });

  test('hides its tokens', () => {
    const settings = settingsOf('token: hunter2\ntokens: [hunter3]\n');
    bearerTokenAuthFactory.configure(settings);
    expect(JSON.stringify(settings.effective())).not.toContain('hunter');
  });
});

describe('basicauth', () => {
  // {SHA} of "password", as `htpasswd -bns` writes it.
  const yaml = 'htpasswd:\n  inline: |\n    ann:plain:text\n    bob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n';

  test.each([
    ['ann:plain:text', true],
    ['bob:password', true],
    ['ann:plain', false],
    ['bob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', false],
    ['eve:password', false],
    ['ann', false],
    ['', false],
  ])('%j: %s', async (credentials, may) => {
    const { check } = await started(basicAuthFactory, yaml);
    if (may) expect(() => check(basic(credentials))).not.toThrow();
    else expect(() => check(basic(credentials))).toThrow('A name and its password are required');
  });

  test('says who we are', async () => {
    const { headers } = await started(basicAuthFactory, 'client_auth: {username: ann, password: x}\n');
    expect(headers()).toEqual(basic('ann:x'));
  });

  test.each([
    ['{}', /one of htpasswd .* and client_auth .* is required/],
    ['htpasswd: {inline: "ann:$2y$05$abc"}', /bcrypt, MD5 or crypt are not supported/],
    ['htpasswd: {inline: "ann"}', /a line of htpasswd is name:password/],
  ])('%j is refused', (settings, message) => {
    expect(() => basicAuthFactory.configure(settingsOf(settings))).toThrow(message);
  });
});
