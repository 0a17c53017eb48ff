/** A receiver's words beyond this are cut in messages. */
const MAX_REASON_LENGTH = 300;

/** The receiver will never take this body, however often it is sent. */
export class RejectedError extends Error {}

/** What a receiver that understood the request says of its content. Others (401, 404) tell of a mistake in the settings. */
const REJECTED: readonly number[] = [400, 413, 422];

/**
 * Posts a JSON body; resolves when it is accepted (2xx). A user and a password in the address become basic authentication.
 * Rejects with what the receiver said: RejectedError when that is final. Redirects are not followed: a notification may carry secrets in its headers.
 */
export async function postJson(
  url: URL,
  body: unknown,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const target = new URL(url);
  const { username, password } = target;
  target.username = '';
  target.password = '';
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization: Record<string, string> =
    username === '' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  let response: Response;
  try {
    response = await fetch(target, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization, ...headers },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal,
    });
  } catch (error) {
    // fetch says only that it failed; why is in its cause.
    const { cause } = error as { cause?: unknown };
    throw cause instanceof Error ? cause : error;
  }
  if (response.ok) {
    await response.body?.cancel();
    return;
  }
  const reason = (await response.text()).slice(0, MAX_REASON_LENGTH).trim();
  const Kind = REJECTED.includes(response.status) ? RejectedError : Error;
  throw new Kind(`answered ${response.status}${reason === '' ? '' : `: ${reason}`}`);
}
