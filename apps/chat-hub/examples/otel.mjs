// Registers an OpenTelemetry SDK before the hub starts. Load this file with `node --import ./otel.mjs`.
import {
  ConsoleSpanExporter,
  NodeTracerProvider,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';

new NodeTracerProvider({
  // Samples one trace in a hundred, and every trace that the caller has sampled.
  sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.01) }),
  // In production, use a BatchSpanProcessor with an OTLP exporter.
  spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())],
}).register();
