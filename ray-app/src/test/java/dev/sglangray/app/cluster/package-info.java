/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Real Ray clusters for tests, each in namespaces of its own.
 *
 * <p>A cluster shares nothing with the machine but its files: it has its own process ids, network, shared memory and
 * {@code /tmp}. So a test can't disturb another cluster, "nothing is left" can be checked exactly, and everything
 * ends with the test JVM however that ends.
 */
@NullMarked
package dev.sglangray.app.cluster;

import org.jspecify.annotations.NullMarked;
