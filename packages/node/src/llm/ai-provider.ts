import type { Message } from './model-call.ts';
import { contentText, textOf } from './observe-create.ts';

/** `gen_ai.provider.name` of providers that the package `ai` calls otherwise; what comes after a dot is the kind of model. */
const providers: Readonly<Record<string, string>> = {
  'amazon-bedrock': 'aws.bedrock',
  azure: 'azure.ai.openai',
  'azure-openai': 'azure.ai.openai',
  'google.generative-ai': 'gcp.gemini',
  'google.vertex': 'gcp.vertex_ai',
  mistral: 'mistral_ai',
  xai: 'x_ai',
};

export function providerName(provider: string): string {
  for (const [theirs, name] of Object.entries(providers))
    if (provider === theirs || provider.startsWith(`${theirs}.`)) return name;
  return provider.split('.')[0] ?? provider;
}

/** The texts of a prompt, as the package keeps it. */
export function promptMessages(prompt: unknown): Message[] {
  if (!Array.isArray(prompt)) return [];
  return prompt.map((message) => ({
    role: textOf(Reflect.get(Object(message), 'role')) ?? '',
    text: contentText(Reflect.get(Object(message), 'content')),
  }));
}
