/** Highest severity number of logs.proto (FATAL4); higher ones are taken for unspecified. */
export const MAX_SEVERITY_NUMBER = 24;
