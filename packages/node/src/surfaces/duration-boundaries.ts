/** Upper bounds, in seconds, that Prometheus's clients use unless told otherwise: where names are Prometheus's, so are they. */
export const prometheusBoundaries: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
