/** `GET /api/signalbox/fields?signal=spans|logs&start&end&prefix` — attribute keys for completion, most frequent first, at most 500. */
export interface FieldsResponse {
  fields: {
    key: string;
    scope: 'span' | 'log' | 'resource' | 'event';
    types: ('string' | 'int' | 'double' | 'bool' | 'other')[];
    count: number;
  }[];
}

/** `GET /api/signalbox/fields/values?signal&key&start&end&prefix` — at most 100, most frequent first. */
export interface FieldValuesResponse {
  values: { value: string; count: number }[];
}

/** `GET /api/signalbox/queries` — what runs now; `DELETE /api/signalbox/queries/{id}` stops one. A client that closes its connection stops its own. */
export interface QueriesResponse {
  queries: { id: string; route: string; startedAtMs: number; elapsedMs: number }[];
}
