/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

import dev.sglangray.client.internal.call.Batch;
import dev.sglangray.client.internal.call.Futures;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class BatchTest {
    @Test
    void answersComeInTheOrderOfTheRequestsAndNeverTooManyAtOnce() throws Exception {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        AtomicInteger count = new AtomicInteger();
        FaultServer.Script script = connection -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            connection.pause(count.incrementAndGet() % 7);
            now.decrementAndGet();
            connection.answer(
                    "{\"text\": \"" + connection.head().replaceAll("(?s).*x-request-id: |\r\n.*", "") + "\"}");
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = InferenceHttpClient.of(server.url())) {
            List<BatchProgress> progress = Collections.synchronizedList(new ArrayList<>());
            List<GenerateResponse> answers = client.generateAll(
                    requests(200), BatchOptions.concurrency(8).onProgress(progress::add));
            assertThat(answers).hasSize(200);
            assertThat(most.get()).isBetween(2, 8);
            assertThat(progress).hasSize(200).contains(new BatchProgress(1, 0, 200), new BatchProgress(200, 0, 200));
            assertThat(server.accepted()).isLessThanOrEqualTo(16);
            assertThat(client.generateAll(List.of(), BatchOptions.DEFAULT)).isEmpty();
        }
    }

    @Test
    void theOrderIsThatOfTheRequests() {
        List<CompletableFuture<GenerateResponse>> sent = new ArrayList<>();
        CompletableFuture<List<GenerateResponse>> all =
                Batch.inOrder(requests(3), BatchOptions.concurrency(3), request -> {
                    sent.add(new CompletableFuture<>());
                    return sent.get(sent.size() - 1);
                });
        for (int i : new int[] {2, 0, 1}) {
            assertThat(all).isNotDone();
            sent.get(i).complete(answer("a" + i));
        }
        assertThat(all.join()).extracting(GenerateResponse::text).containsExactly("a0", "a1", "a2");
    }

    @Test
    void theFirstFailureCancelsTheRest() {
        List<CompletableFuture<GenerateResponse>> sent = new ArrayList<>();
        CompletableFuture<List<GenerateResponse>> all =
                Batch.inOrder(requests(5), BatchOptions.concurrency(2), request -> {
                    sent.add(new CompletableFuture<>());
                    return sent.get(sent.size() - 1);
                });
        sent.get(1).completeExceptionally(new ConnectionLostException("broken", new java.io.IOException()));
        assertThat(sent).hasSize(2);
        assertThat(sent.get(0)).isCancelled();
        assertThatExceptionOfType(ConnectionLostException.class).isThrownBy(() -> Futures.await(all));
    }

    @Test
    void aRequestThatCannotBeWrittenFailsLikeAnyOther() throws Exception {
        GenerateRequest unwritable = GenerateRequest.builder()
                .text("x")
                .extra("stream_options", new Object())
                .build();
        try (FaultServer server = new FaultServer(connection -> connection.answer("{\"text\": \"a\"}"));
                InferenceHttpClient client = InferenceHttpClient.of(server.url())) {
            List<GenerateRequest> batch = new ArrayList<>(requests(3));
            batch.add(unwritable);
            assertThatExceptionOfType(RequestCancelledException.class)
                    .isThrownBy(() -> client.generateAll(batch, BatchOptions.concurrency(1)))
                    .withMessageContaining("not sent");
            try (StreamIterator<BatchItem> outcomes = client.generateAsCompleted(batch, BatchOptions.concurrency(1))) {
                assertThat(outcomes.toList())
                        .hasSize(4)
                        .filteredOn(item -> item.failure().isPresent())
                        .extracting(BatchItem::index)
                        .containsExactly(3);
            }
        }
    }

    @Test
    void cancellingCancelsAll() {
        List<CompletableFuture<GenerateResponse>> sent = new ArrayList<>();
        CompletableFuture<List<GenerateResponse>> all =
                Batch.inOrder(requests(5), BatchOptions.concurrency(2), request -> {
                    sent.add(new CompletableFuture<>());
                    return sent.get(sent.size() - 1);
                });
        all.cancel(true);
        assertThat(sent).hasSize(2).allMatch(CompletableFuture::isCancelled);
    }

    @Test
    void asCompletedGivesFailuresAndAnswersAndDoesNotRunFarAhead() {
        AtomicInteger count = new AtomicInteger();
        StreamIterator<BatchItem> items =
                StreamIterator.over(Batch.asCompleted(requests(1000), BatchOptions.concurrency(4), request -> {
                    CompletableFuture<GenerateResponse> future = new CompletableFuture<>();
                    if (count.incrementAndGet() == 2) {
                        future.completeExceptionally(new ConnectionLostException("broken", new java.io.IOException()));
                    } else {
                        future.complete(answer("a"));
                    }
                    return future;
                }));
        assertThat(count.get()).isLessThan(100);
        List<BatchItem> all = new ArrayList<>();
        items.forEach(all::add);
        assertThat(all)
                .extracting(BatchItem::index)
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, 1000).boxed().toList());
        assertThat(all.stream().filter(item -> item.failure().isPresent())).hasSize(1);
    }

    @Test
    void closingEarlyCancelsTheRest() {
        List<CompletableFuture<GenerateResponse>> sent = Collections.synchronizedList(new ArrayList<>());
        try (StreamIterator<BatchItem> items =
                StreamIterator.over(Batch.asCompleted(requests(10), BatchOptions.concurrency(4), request -> {
                    CompletableFuture<GenerateResponse> future = new CompletableFuture<>();
                    sent.add(future);
                    return future;
                }))) {
            sent.get(0).complete(answer("a"));
            assertThat(items.next().response().text()).isEqualTo("a");
        }
        assertThat(sent.subList(1, sent.size())).allMatch(CompletableFuture::isCancelled);
    }

    @Test
    void waitingOnAnEventLoopIsRefused() throws Exception {
        try (FaultServer server = new FaultServer(connection -> connection.answer("{\"text\": \"a\"}"));
                InferenceHttpClient client = InferenceHttpClient.of(server.url())) {
            CompletableFuture<Void> nested = client.generateAsync(requests(1).get(0))
                    .thenAccept(answer -> assertThatIllegalStateException()
                            .isThrownBy(() -> client.generateAll(requests(1), BatchOptions.DEFAULT)));
            await().until(nested::isDone);
            nested.join();
        }
    }

    private static List<GenerateRequest> requests(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> GenerateRequest.builder().text("x" + i).build())
                .toList();
    }

    private static GenerateResponse answer(String text) {
        return new GenerateResponse(List.of(new Generation(text, List.of(), MetaInfo.NONE, java.util.Map.of())));
    }
}
