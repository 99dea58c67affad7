/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

/**
 * How far a batch is. Immutable.
 *
 * @param done answered or failed
 * @param failed of these, failed
 * @param total of the batch
 */
public record BatchProgress(int done, int failed, int total) {}
