import type { TextMapPropagator } from '@opentelemetry/api';
import { AWSXRayPropagator } from '@opentelemetry/propagator-aws-xray';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
import { JaegerPropagator } from '@opentelemetry/propagator-jaeger';

// Functions, for `register` to have them in a file of their own: few applications want another format than W3C's.

export function b3Propagator(): TextMapPropagator {
  return new B3Propagator();
}

export function b3MultiPropagator(): TextMapPropagator {
  return new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER });
}

export function jaegerPropagator(): TextMapPropagator {
  return new JaegerPropagator();
}

export function xrayPropagator(): TextMapPropagator {
  return new AWSXRayPropagator();
}
