/** Of OpenSearch's client, by the name that they are installed under, which the long tier does. */
export const openSearchVersions = [
  { version: 3, installed: 'opensearch-3', asked: '3.6.0' },
  { version: 2, installed: 'opensearch-2', asked: '2.13.0' },
  // The first that is taken.
  { version: 2, installed: 'opensearch-2.0', asked: '2.0.0' },
] as const;
