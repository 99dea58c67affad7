/* SPDX-License-Identifier: Apache-2.0 */
import io.ray.api.ActorHandle;
import io.ray.api.ObjectRef;
import io.ray.api.Ray;
import io.ray.api.WaitResult;
import io.ray.api.concurrencygroup.ConcurrencyGroup;
import io.ray.api.function.RayFunc;
import io.ray.api.id.ActorId;
import io.ray.api.id.PlacementGroupId;
import io.ray.api.id.UniqueId;
import io.ray.api.options.ActorCreationOptions;
import io.ray.api.options.PlacementGroupCreationOptions;
import io.ray.api.placementgroup.PlacementGroup;
import io.ray.api.placementgroup.PlacementGroupState;
import io.ray.api.runtime.RayRuntime;
import io.ray.api.runtimecontext.NodeInfo;
import io.ray.api.runtimecontext.RuntimeContext;
import io.ray.api.runtimeenv.RuntimeEnv;
import java.lang.invoke.SerializedLambda;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.nio.ByteBuffer;

/**
 * The only thing that is not real in the processes of the driver and of the router's worker: Ray's runtime, the interface beneath
 * {@code io.ray.api.Ray}. Actors are other processes of this benchmark, all there at once, and calls of them go over a {@link Bus}.
 * As Ray's, {@code wait} looks at every reference that it is given, and returns no more than were asked for.
 */
final class FakeRay {
    private final String me;
    private final Bus.Service actors;
    private final Map<String, ActorHandle<?>> handles = new ConcurrentHashMap<>();
    private final Map<Class<?>, String> names = new ConcurrentHashMap<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition completed = lock.newCondition();
    private long completions;

    final Map<String, LongAdder> calls = new ConcurrentHashMap<>();
    final LongAdder waited = new LongAdder();

    private FakeRay(String me, Bus.Service actors) {
        this.me = me;
        this.actors = actors;
    }

    /** Puts itself in the place of Ray's runtime of this JVM. */
    static FakeRay install(String me, Bus.Service actors) throws ReflectiveOperationException {
        FakeRay ray = new FakeRay(me, actors);
        Field runtime = Ray.class.getDeclaredField("runtime");
        runtime.setAccessible(true);
        runtime.set(null, ray.proxy(RayRuntime.class, ray::runtime));
        return ray;
    }

    /** As Ray's, an actor's id is its own. */
    static ActorId id(String actor) {
        UUID uuid = UUID.nameUUIDFromBytes(actor.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        return ActorId.fromBytes(ByteBuffer.allocate(16)
                .putLong(uuid.getMostSignificantBits())
                .putLong(uuid.getLeastSignificantBits())
                .array());
    }

    private interface Body {
        Object invoke(Method method, Object[] arguments) throws Throwable;
    }

    @SuppressWarnings("unchecked")
    private <T> T proxy(Class<T> type, Body body) {
        return (T) Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) ->
                switch (method.getName()) {
                    case "hashCode" -> System.identityHashCode(self);
                    case "equals" -> self == arguments[0];
                    case "toString" -> type.getSimpleName();
                    default -> body.invoke(method, arguments);
                });
    }

    private void count(String what) {
        calls.computeIfAbsent(what, key -> new LongAdder()).increment();
    }

    private final class Ref implements ObjectRef<Object> {
        private final CompletableFuture<Object> answer;

        Ref(CompletableFuture<Object> answer) {
            this.answer = answer;
            answer.whenComplete((value, failure) -> {
                lock.lock();
                try {
                    completions++;
                    completed.signalAll();
                } finally {
                    lock.unlock();
                }
            });
        }

        @Override
        public Object get() {
            try {
                return answer.get();
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause().getMessage());
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public Object get(long milliseconds) {
            return get();
        }
    }

    private Object runtime(Method method, Object[] arguments) throws Throwable {
        switch (method.getName()) {
            case "getActor":
                count("getActor");
                return Optional.ofNullable(handles.get(String.valueOf(arguments[0])));
            case "createActor":
                String name = ((ActorCreationOptions) arguments[2]).name;
                ActorHandle<?> made = known(name);
                actors.call(name, "<init>", List.of((Object[]) arguments[1]));
                return made;
            case "callActor":
                String function = function((RayFunc) arguments[1]);
                count(function);
                return new Ref(actors.call(((Handle<?>) arguments[0]).name(), function, List.of((Object[]) arguments[2])));
            case "wait":
                return await((List<?>) arguments[0], (Integer) arguments[1], (Integer) arguments[2]);
            case "get":
                return ((Ref) arguments[0]).get();
            case "getRuntimeContext":
                return proxy(RuntimeContext.class, this::context);
            case "getNamespace":
                return "bench";
            case "getAvailableResourceIds":
                return Map.of();
            case "createPlacementGroup":
                return group((PlacementGroupCreationOptions) arguments[0]);
            case "getPlacementGroup":
                return null;
            case "waitPlacementGroupReady":
                return true;
            case "removePlacementGroup", "killActor", "shutdown":
                return null;
            case "extractConcurrencyGroups":
                return List.of();
            case "createConcurrencyGroup":
                return proxy(ConcurrencyGroup.class, (group, none) -> null);
            case "createRuntimeEnv":
                return proxy(RuntimeEnv.class, (env, none) -> env.getReturnType() == boolean.class ? false : null);
            default:
                throw new UnsupportedOperationException(method.toString());
        }
    }

    private Object context(Method method, Object[] arguments) {
        return switch (method.getName()) {
            case "getCurrentActorId" -> id(me);
            case "wasCurrentActorRestarted" -> false;
            case "getNamespace" -> "bench";
            case "getCurrentNodeId" -> NODE;
            case "getAllNodeInfo" -> List.of(
                    new NodeInfo(NODE, "127.0.0.1", "bench", 0, "", "", true, Map.of(), Map.of()));
            case "getAllActorInfo" -> List.of();
            default -> throw new UnsupportedOperationException(method.toString());
        };
    }

    private static final UniqueId NODE = UniqueId.fromBytes(new byte[UniqueId.LENGTH]);

    private record Handle<A>(String name, ActorId id) implements ActorHandle<A> {
        @Override
        public ActorId getId() {
            return id;
        }

        @Override
        public void kill(boolean noRestart) {}
    }

    /** An actor that there is. */
    ActorHandle<?> known(String actor) {
        return handles.computeIfAbsent(actor, name -> new Handle<>(name, id(name)));
    }

    private PlacementGroup group(PlacementGroupCreationOptions options) {
        PlacementGroupId id = PlacementGroupId.fromRandom();
        return proxy(PlacementGroup.class, (method, arguments) -> switch (method.getName()) {
            case "getId" -> id;
            case "getName" -> options.name;
            case "getBundles" -> options.bundles;
            case "getStrategy" -> options.strategy;
            case "getState" -> PlacementGroupState.CREATED;
            default -> true;
        });
    }

    private String function(RayFunc lambda) {
        return names.computeIfAbsent(lambda.getClass(), type -> {
            try {
                Method replace = type.getDeclaredMethod("writeReplace");
                replace.setAccessible(true);
                return ((SerializedLambda) replace.invoke(lambda)).getImplMethodName();
            } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @SuppressWarnings("unchecked")
    private WaitResult<Object> await(List<?> refs, int wanted, int milliseconds) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(milliseconds);
        while (true) {
            long seen;
            lock.lock();
            try {
                seen = completions;
            } finally {
                lock.unlock();
            }
            List<ObjectRef<Object>> ready = new ArrayList<>();
            List<ObjectRef<Object>> others = new ArrayList<>();
            waited.add(refs.size());
            for (Object ref : refs) {
                boolean is = ready.size() < wanted && ((Ref) ref).answer.isDone();
                (is ? ready : others).add((ObjectRef<Object>) ref);
            }
            long left = end - System.nanoTime();
            if (ready.size() >= wanted || left <= 0) {
                return new WaitResult<>(ready, others);
            }
            lock.lock();
            try {
                while (completions == seen && left > 0) {
                    left = completed.awaitNanos(left);
                }
            } finally {
                lock.unlock();
            }
        }
    }
}
