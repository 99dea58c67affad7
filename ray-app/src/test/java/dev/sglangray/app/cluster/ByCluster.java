/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.util.Comparator;
import org.junit.jupiter.api.ClassDescriptor;
import org.junit.jupiter.api.ClassOrderer;
import org.junit.jupiter.api.ClassOrdererContext;

/** Runs test classes of the same cluster one after the other, so that each kind of cluster is started once. */
public final class ByCluster implements ClassOrderer {

    @Override
    public void orderClasses(ClassOrdererContext context) {
        context.getClassDescriptors()
                .sort(Comparator.comparing((ClassDescriptor test) -> SharedCluster.version(test.getTestClass()))
                        .thenComparing(test -> test.getTestClass().getName()));
    }
}
