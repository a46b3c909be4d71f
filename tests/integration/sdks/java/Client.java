// Sends the spans of ../README.md with the OpenTelemetry SDK for Java, configured by the environment alone.

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.util.concurrent.TimeUnit;

public final class Client {
    private static final String[] NAMES = {"GET /orders", "query", "Übersicht"};
    private static final SpanKind[] KINDS = {
        SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER};
    private static final long[] DURATIONS_US = {
        500, 2000, 2001, 7000, 49999, 50000, 123456, 999999, 1000001, 15000000, 20000000};

    public static void main(String[] arguments) {
        int count = Integer.parseInt(System.getenv("CLIENT_SPANS"));
        // Closed below; a hook would close it again, and say so when it is quicker than the end of logging.
        OpenTelemetrySdk sdk = AutoConfiguredOpenTelemetrySdk.builder().disableShutdownHook().build().getOpenTelemetrySdk();
        Tracer tracer = sdk.getTracer("client");
        long base = (System.currentTimeMillis() - 60_000) * 1000;
        Context parent = Context.root();
        for (int i = 0; i < count; i++) {
            long start = base + i;
            Span span = tracer.spanBuilder(NAMES[i % 3])
                            .setParent(i % 20 == 0 ? Context.root() : parent)
                            .setSpanKind(KINDS[i % 5])
                            .setStartTimestamp(start, TimeUnit.MICROSECONDS)
                            .startSpan();
            if (i % 7 == 3) {
                span.setStatus(StatusCode.ERROR, "planned");
            } else if (i % 7 == 5) {
                span.setStatus(StatusCode.OK);
            }
            span.end(start + DURATIONS_US[i % 11], TimeUnit.MICROSECONDS);
            if (i % 20 == 0) {
                parent = Context.root().with(span);
            }
        }
        sdk.close();
    }
}
