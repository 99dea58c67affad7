/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.simulation;

/** A bug that this protocol, or the one before it, could have; planted to show that the simulation finds it. */
enum Mutation {
    /** As it is. */
    NONE,
    /** Reports have no order: the registry takes the one that arrives last. */
    REPORTS_WITHOUT_EPOCHS,
    /** One server that cannot be registered holds up the registration of the others. */
    ONE_BAD_SERVER_BLOCKS_ALL,
    /** Engines that a commit suspends are not asked to bring themselves up to date, nor told of the fleet's weights. */
    COMMIT_FORGETS_ENGINES,
    /** An engine that is starting counts as one without memory when it is to release it. */
    RELEASE_WHILE_STARTING,
    /** A registration that was given up, and arrives late, stays in the router. */
    LATE_REGISTRATION_STAYS,
    /** A question to a suspected engine's worker that fails is not repeated. */
    SUSPICION_FORGOTTEN,
    /** Suspensions wait behind registrations. */
    URGENT_BEHIND_SLOW,
    /** The fleet's owner looks for missing engines in the middle of a change of size. */
    OWNER_SEES_HALF_A_CHANGE,
    /** A pause that a resume has ended is remembered by the worker's successor. */
    PAUSE_OUTLIVES_RESUME,
    /** A successor of the router's worker lists engines by what its predecessor knew. */
    SUCCESSOR_TRUSTS_ITS_FILE,
    /** Released weights are thought to come back with their memory. */
    GARBAGE_WEIGHTS_SERVE
}
