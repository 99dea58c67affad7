/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

/** Who needs to know whether a worker's process serves. Methods may block, and fail with words for people. */
interface Outside {

    /** It serves, at this URL. */
    void publish(String url);

    /** It does not serve. */
    void withdraw();

    /** Whether what answers at this URL does its work; a {@link WorkerFailure} says why not. */
    void probe(String url);
}
