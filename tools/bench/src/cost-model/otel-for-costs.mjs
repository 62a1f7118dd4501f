// An SDK for the measurement: spans are recorded and dropped, so no exporter is measured.
import {
  NodeTracerProvider,
  NoopSpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';

new NodeTracerProvider({
  sampler: new TraceIdRatioBasedSampler(Number(process.env.SAMPLED_SHARE)),
  spanProcessors: [new NoopSpanProcessor()],
}).register();
