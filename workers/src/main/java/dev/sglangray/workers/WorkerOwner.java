/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import org.jspecify.annotations.Nullable;

/**
 * The detached actor that owns the workers of a fleet. They outlive its process, which Ray starts again, but not the actor. Travels
 * as JSON.
 *
 * @param actor its name in the workers' Ray namespace
 * @param actorId its id, which no later actor of the name has
 * @param placementGroupId the placement group that a worker removes when it ends for want of an owner, in hexadecimal digits; null
 *     for none
 */
public record WorkerOwner(
        String actor, String actorId, @Nullable String placementGroupId) {}
