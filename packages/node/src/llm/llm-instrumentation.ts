import { handleOf, type Instrumentation } from '../instrumentation.ts';
import { hookAi } from './ai.ts';
import { observeAiChannel } from './ai-channel.ts';
import { hookAnthropic } from './anthropic.ts';
import { ModelCallRecorder } from './model-call-recorder.ts';
import { hookOpenai } from './openai.ts';

/** Language models, through the clients of OpenAI and Anthropic and the package `ai`. */
export const llmInstrumentation: Instrumentation = {
  name: 'llm',
  enable(context) {
    if (!context.wants.spans && !context.wants.metrics) return handleOf();
    const recorder = new ModelCallRecorder(context);
    const openai = hookOpenai(context, recorder);
    const anthropic = hookAnthropic(context, recorder);
    const ai = hookAi(context, recorder);
    return handleOf(() => openai[Symbol.dispose](), anthropic, ai, observeAiChannel(context, recorder));
  },
};
