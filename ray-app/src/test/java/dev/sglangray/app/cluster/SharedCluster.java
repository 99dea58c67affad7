/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * The extension behind {@link OnCluster}: one cluster at a time, kept for as long as tests of its version follow each
 * other and leave it clean.
 */
public final class SharedCluster implements ParameterResolver, AfterEachCallback {

    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(SharedCluster.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == TestCluster.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return keeper(context).get(version(context));
    }

    @Override
    public void afterEach(ExtensionContext context) {
        keeper(context).check(context.getExecutionException().isPresent());
    }

    /** The version that a test class asks for; empty if it asks for no cluster. */
    static String version(Class<?> testClass) {
        return AnnotationSupport.findAnnotation(testClass, OnCluster.class)
                .map(OnCluster::ray)
                .orElse("");
    }

    private static String version(ExtensionContext context) {
        return version(context.getRequiredTestClass());
    }

    private static Keeper keeper(ExtensionContext context) {
        return context.getRoot().getStore(NAMESPACE).computeIfAbsent(Keeper.class, key -> new Keeper(), Keeper.class);
    }

    /** Holds the one cluster that runs; JUnit closes it at the end of all tests. */
    static final class Keeper implements AutoCloseable {

        private @Nullable TestCluster cluster;

        synchronized TestCluster get(String version) {
            if (cluster != null && !cluster.spec().rayVersion().equals(version)) {
                close();
            }
            if (cluster == null) {
                List<NodeSpec> nodes = List.of(ranked(0), ranked(1));
                cluster = TestCluster.start(new ClusterSpec(version, nodes, Services.RAY_AND_DASHBOARD));
            }
            return cluster;
        }

        private static NodeSpec ranked(int rank) {
            return StandIn.on(NodeSpec.gpus(2).withResource("node_rank:" + rank, 1));
        }

        /** Fails the test that left something, and spares the next one that cluster. */
        synchronized void check(boolean failed) {
            TestCluster current = cluster;
            if (current == null) {
                return;
            }
            try {
                current.assertNothingLeft();
            } catch (RuntimeException | Error left) {
                try {
                    current.saveLogs();
                    close();
                } catch (RuntimeException | Error e) {
                    left.addSuppressed(e);
                }
                throw left;
            }
            if (failed) {
                current.saveLogs();
            }
        }

        @Override
        public synchronized void close() {
            TestCluster current = cluster;
            cluster = null;
            if (current != null) {
                current.close();
            }
        }
    }
}
