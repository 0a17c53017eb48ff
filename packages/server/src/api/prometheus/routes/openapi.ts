import { describeParameter, oneOf } from '../describe-route.ts';
import { type OpenApiOptions, openApiDocument } from '../openapi-document.ts';
import { get, type PrometheusRoute } from '../prometheus-route.ts';

const about = {
  summary: 'This description.',
  parameters: [
    describeParameter('openapi_version', oneOf('3.1', '3.1.0', '3.2', '3.2.0'), 'Of OpenAPI; 3.1 otherwise.'),
  ],
  answers: 'application/yaml',
};

/** The description of routes, itself among them. @param routes read when it is asked for */
export function openApiRoute(
  routes: readonly PrometheusRoute[],
  options: Omit<OpenApiOptions, 'specification'>,
): PrometheusRoute {
  return get('openapi.yaml', about, async ({ parameters }) => {
    const specification = ['3.2', '3.2.0'].includes(parameters.text('openapi_version')) ? '3.2.0' : '3.1.0';
    return {
      headers: { 'content-type': 'application/yaml; charset=utf-8' },
      pieces: [openApiDocument(routes, { ...options, specification })],
    };
  });
}
