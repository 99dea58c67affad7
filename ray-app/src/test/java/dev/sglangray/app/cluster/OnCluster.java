/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives the tests of a class a running cluster of two nodes with two accelerators and 16 CPUs each, node ranks and a
 * dashboard.
 * Engines on it are stand-ins ({@link StandIn}); the router is the real one.
 *
 * <p>Take it as a parameter of type {@link TestCluster}. The cluster is shared with every other class of the same Ray
 * version; so after each test nothing may be left on it, which is checked.
 */
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(SharedCluster.class)
public @interface OnCluster {

    /** The version of Ray. */
    String ray() default PythonEnvironment.NEWEST_RAY;
}
