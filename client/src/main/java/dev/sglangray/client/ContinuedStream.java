/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * A generation as it is generated, which another engine continues when its own fails. Each event is all of it so far. As an
 * {@link EventStream} otherwise: nothing is sent before it is subscribed to, cancelling ends the request on the engine, and
 * subscribers must not block. Immutable and thread-safe.
 *
 * <p>What is continued: the prompt's token ids and those that came are the next engine's prompt, and the number of new tokens is what
 * is left of it. So a greedy generation has the tokens that an undisturbed one has, as far as the engine computes a prompt and a
 * generation alike.
 */
public final class ContinuedStream implements Flow.Publisher<ContinuedGeneration> {
    private static final String BUDGET = "max_new_tokens";
    private static final String LEAST = "min_new_tokens";

    /** What means the same for the rest of a generation as for the whole. Not: what looks at the generated text or its tokens. */
    private static final Set<String> SAMPLING = Set.of(
            BUDGET,
            LEAST,
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "stop_token_ids",
            "ignore_eos",
            "skip_special_tokens",
            "spaces_between_special_tokens",
            "no_stop_trim");

    private static final Set<String> FIELDS = Set.of("lora_path", "priority");

    private final InferenceHttpClient client;
    private final GenerateRequest request;
    private final List<Integer> prompt;
    private final int budget;
    private final int continuations;

    /** See {@link InferenceHttpClient#generateContinuedStream}. */
    ContinuedStream(InferenceHttpClient client, GenerateRequest request, int continuations) {
        if (continuations < 1) {
            throw new IllegalArgumentException("continuations: " + continuations + ", at least 1");
        }
        this.client = client;
        this.request = request;
        this.prompt = prompt(request);
        this.budget = budget(request);
        this.continuations = continuations;
    }

    @Override
    public void subscribe(Flow.Subscriber<? super ContinuedGeneration> subscriber) {
        Continuation continuation = new Continuation(subscriber);
        subscriber.onSubscribe(continuation);
        continuation.begin();
    }

    /** As {@link EventStream#open}. */
    public StreamIterator<ContinuedGeneration> open() {
        client.refuseEventLoop();
        return StreamIterator.over(this);
    }

    private static List<Integer> prompt(GenerateRequest request) {
        if (!(request.prompt() instanceof Prompt.InputIds ids)) {
            throw refused("its prompt is not one list of token ids (inputIds)");
        }
        request.samplingParams().forEach((name, value) -> {
            if (!SAMPLING.contains(name)
                    && !(name.equals("n") && Integer.valueOf(1).equals(value))) {
                throw refused("the sampling parameter '" + name + "' may mean something else for its rest");
            }
        });
        for (String field : request.extra().keySet()) {
            if (!FIELDS.contains(field)) {
                throw refused("the field '" + field + "' may mean something else for its rest");
            }
        }
        return ids.value();
    }

    private static int budget(GenerateRequest request) {
        if (!(request.samplingParams().get(BUDGET) instanceof Integer tokens) || tokens < 1) {
            throw refused("it needs the sampling parameter '" + BUDGET + "', at least 1");
        }
        return tokens;
    }

    private static IllegalArgumentException refused(String why) {
        return new IllegalArgumentException("this request cannot be continued on another engine: " + why);
    }

    /** The request for what is left after these tokens. */
    private GenerateRequest rest(List<Integer> came) {
        if (came.isEmpty()) {
            return request;
        }
        List<Integer> longer = new ArrayList<>(prompt);
        longer.addAll(came);
        Map<String, Object> sampling = new HashMap<>(request.samplingParams());
        sampling.put(BUDGET, budget - came.size());
        if (sampling.get(LEAST) instanceof Integer least) {
            sampling.put(LEAST, Math.max(0, least - came.size()));
        }
        return new GenerateRequest(new Prompt.InputIds(longer), sampling, request.returnLogprob(), request.extra());
    }

    /** An engine or the way to it failed, and not this request. */
    private static boolean isAnEnginesFailure(Throwable failure) {
        return failure instanceof ConnectionLostException
                || failure instanceof ServerUnreachableException
                || (failure instanceof ServerStatusException said && said.status() >= 500);
    }

    /** One generation for one subscriber. The parts follow each other, so their signals do not overlap. */
    private final class Continuation implements Flow.Subscription, Flow.Subscriber<Generation> {
        private final Flow.Subscriber<? super ContinuedGeneration> subscriber;
        private int left = continuations;
        private ContinuedGeneration before = new ContinuedGeneration(List.of());
        private @Nullable Generation part;

        // Guarded by this.
        private Flow.@Nullable Subscription current;
        private long wanted;
        private boolean cancelled;

        Continuation(Flow.Subscriber<? super ContinuedGeneration> subscriber) {
            this.subscriber = subscriber;
        }

        void begin() {
            client.generateStream(rest(before.outputIds())).subscribe(this);
        }

        @Override
        public void request(long count) {
            Flow.Subscription open;
            synchronized (this) {
                // A count that is not allowed is the part's to refuse.
                wanted = wanted + count < 0 ? Long.MAX_VALUE : wanted + Math.max(0, count);
                open = current;
            }
            if (open != null) {
                open.request(count);
            }
        }

        @Override
        public void cancel() {
            Flow.Subscription open;
            synchronized (this) {
                cancelled = true;
                open = current;
            }
            if (open != null) {
                open.cancel();
            }
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            long count;
            boolean over;
            synchronized (this) {
                current = subscription;
                count = wanted;
                over = cancelled;
            }
            if (over) {
                subscription.cancel();
            } else if (count > 0) {
                subscription.request(count);
            }
        }

        @Override
        public void onNext(Generation event) {
            synchronized (this) {
                if (wanted != Long.MAX_VALUE) {
                    wanted--;
                }
            }
            part = joined(part, event);
            subscriber.onNext(before.with(part));
        }

        @Override
        public void onComplete() {
            subscriber.onComplete();
        }

        @Override
        public void onError(Throwable failure) {
            if (!isAnEnginesFailure(failure) || isCancelled()) {
                subscriber.onError(failure);
                return;
            }
            Generation broken = part;
            if (broken != null) {
                before = before.with(broken);
                part = null;
                if (broken.metaInfo().finishReason().isPresent()
                        || before.outputIds().size() >= budget) {
                    subscriber.onComplete(); // Only the end of the stream was lost.
                    return;
                }
            }
            if (left == 0) {
                subscriber.onError(failure);
                return;
            }
            left--;
            begin();
        }

        private synchronized boolean isCancelled() {
            return cancelled;
        }
    }

    /** An event of an engine that sends only what is new, or all so far, as SGLang does unless it is started otherwise. */
    private static Generation joined(@Nullable Generation before, Generation event) {
        if (before == null || event.outputIds().size() >= event.metaInfo().completionTokens()) {
            return event;
        }
        List<Integer> ids = new ArrayList<>(before.outputIds());
        ids.addAll(event.outputIds());
        return new Generation(before.text() + event.text(), ids, event.metaInfo(), event.extra());
    }
}
