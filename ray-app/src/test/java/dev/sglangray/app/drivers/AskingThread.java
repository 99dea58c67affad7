/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.drivers;

import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.Generation;
import dev.sglangray.client.InferenceException;
import dev.sglangray.client.InferenceHttpClient;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;

/** Asks a fleet without a pause while other things happen to it, and takes down which weights answered when. */
final class AskingThread implements AutoCloseable {
    private final InferenceHttpClient client;
    private final Thread[] threads = new Thread[4];
    private final List<Answer> answers = new CopyOnWriteArrayList<>();
    private volatile boolean ended;

    /** When it was asked and answered, and by which weights; none for a refusal. */
    record Answer(long asked, long answered, List<?> versions) {}

    AskingThread(String url, double seconds) {
        client = InferenceHttpClient.of(url);
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> ask(seconds), "asking-" + i);
            threads[i].start();
        }
    }

    private void ask(double seconds) {
        GenerateRequest request =
                GenerateRequest.builder().text("who?").extra("seconds", seconds).build();
        while (!ended) {
            long asked = System.nanoTime();
            List<?> versions = List.of();
            try {
                Generation answer = client.generate(request).single();
                versions = Objects.requireNonNull(
                        (List<?>) answer.metaInfo().extra().get("weight_versions"));
            } catch (InferenceException e) {
                // The router has no engine at the moment.
                pause();
            }
            answers.add(new Answer(asked, System.nanoTime(), versions));
        }
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** How many were answered; fails when one was answered by two versions, or by an old one after a new one. */
    Map<String, Long> versionsInOrder(String before, String after) {
        long firstNew = answers.stream()
                .filter(answer -> answer.versions().contains(after))
                .mapToLong(Answer::answered)
                .min()
                .orElse(Long.MAX_VALUE);
        for (Answer answer : answers) {
            if (answer.versions().size() > 1) {
                throw new AssertionError("one answer by " + answer.versions());
            }
            if (answer.versions().contains(before) && answer.asked() > firstNew) {
                throw new AssertionError("an answer by " + before + " asked for after one by " + after);
            }
        }
        return Map.of(before, count(before), after, count(after));
    }

    long count(String version) {
        return answers.stream()
                .filter(answer -> answer.versions().contains(version))
                .count();
    }

    @Override
    public void close() {
        ended = true;
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        client.close();
    }
}
