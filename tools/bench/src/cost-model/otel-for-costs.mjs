// Drops spans, so that the measurement includes no exporter.
import {
  NodeTracerProvider,
  NoopSpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';

new NodeTracerProvider({
  sampler: new TraceIdRatioBasedSampler(Number(process.env.SAMPLED_SHARE)),
  spanProcessors: [new NoopSpanProcessor()],
}).register();
