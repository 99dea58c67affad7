/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.registry;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The registry at one moment, for people and programs. Travels as JSON.
 *
 * @param members the registered servers
 * @param foreign URLs that the router lists and the registry does not know
 * @param weightVersion the version of the fleet's weights; null before the first update
 * @param change the change of the fleet that is under way, in words; null for none
 * @param problem why the router's list is not known at the moment; null when it is
 * @param repairs how often the router's list was other than it had been made, since the worker's process began: a server was missing, or one
 *     was there again that is not to be
 */
public record RegistryView(
        List<MemberView> members,
        List<String> foreign,
        @Nullable String weightVersion,
        @Nullable String change,
        @Nullable String problem,
        long repairs) {
    /** Copies the lists. */
    public RegistryView {
        members = List.copyOf(members);
        foreign = List.copyOf(foreign);
    }

    /**
     * One registered server.
     *
     * @param key names it
     * @param actor its worker's actor; null without one
     * @param url where it is
     * @param external whether the configuration names it as one that another program keeps
     * @param model the name that it answers to; null where that is not known
     * @param workerType {@code regular}, {@code prefill} or {@code decode}
     * @param wanted whether the router is to send to it
     * @param listed whether the router sends to it
     * @param id the router's id of it; null while not listed
     * @param why why it is not wanted or not listed, in words; empty when it is both
     */
    public record MemberView(
            String key,
            @Nullable String actor,
            String url,
            boolean external,
            @Nullable String model,
            String workerType,
            boolean wanted,
            boolean listed,
            @Nullable String id,
            String why) {}
}
