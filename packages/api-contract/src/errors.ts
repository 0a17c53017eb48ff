/** The closed table of error codes; each maps to one HTTP status at the edge. */
export type ApiErrorCode =
  | 'bad_request' // 400: the request can never work as written
  | 'not_found' // 404
  | 'timeout' // 503: the query ran into its time limit; narrow it
  | 'cancelled' // 499: the client went away or cancelled
  | 'too_many_queries' // 429: as many queries as admitted are running and waiting
  | 'too_large' // 422: the answer or the work exceeds a limit; narrow the query
  | 'unavailable' // 503: shutting down, disk full, engine not there
  | 'internal'; // 500: a bug in Signalbox

/** The body of every answer with a status of 400 or more under `/api/signalbox/`. */
export interface ApiErrorBody {
  error: {
    code: ApiErrorCode;
    message: string;
    /** What the user can do next, where there is something to do. */
    hint?: string;
    /** Which request parameter is wrong, and where in it (UTF-16 offsets), so that a field can underline it. */
    parameter?: string;
    position?: { start: number; end: number };
  };
}
