import type { ComponentFactory } from './pipeline/component-factory.ts';

/** Every component that a configuration file can name. A new one is an import and a line here; nothing else knows of it. */
export const componentFactories: readonly ComponentFactory[] = [];
