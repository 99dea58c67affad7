/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import dev.sglangray.placement.ray.LedgerSnapshot;
import dev.sglangray.placement.ray.ResourceLedger;
import io.ray.api.Ray;
import io.ray.runtime.AbstractRayRuntime;
import io.ray.runtime.gcs.GcsClient;
import io.ray.runtime.gcs.GlobalStateAccessor;
import io.ray.runtime.generated.Common;
import io.ray.runtime.generated.Gcs;
import io.ray.shaded.com.google.protobuf.ByteString;
import io.ray.shaded.com.google.protobuf.InvalidProtocolBufferException;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads who holds the connected cluster's resources, from the tables of Ray's control service: Ray's API for Java tells
 * neither on which node a bundle is nor what an actor holds. Where another Ray keeps these tables differently, what the API
 * tells is all that is known. Safe for use by several threads.
 */
public final class RayLedger implements ResourceLedger {
    private static final Logger LOG = LoggerFactory.getLogger(RayLedger.class);
    private static final String ACCESSOR = "globalStateAccessor";

    @Override
    public LedgerSnapshot read() {
        try {
            GlobalStateAccessor accessor = accessor();
            List<LedgerSnapshot.Group> groups = new ArrayList<>();
            for (byte[] row : accessor.getAllPlacementGroupInfo()) {
                Gcs.PlacementGroupTableData group = Gcs.PlacementGroupTableData.parseFrom(row);
                if (group.getState() != Gcs.PlacementGroupTableData.PlacementGroupState.REMOVED) {
                    groups.add(group(group));
                }
            }
            return new LedgerSnapshot(groups, actors(accessor));
        } catch (ReflectiveOperationException | InvalidProtocolBufferException | LinkageError | RuntimeException e) {
            LOG.debug("Ray's tables cannot be read; only what its API tells is known", e);
            return PUBLIC.read();
        }
    }

    /**
     * An actor that has a name.
     *
     * @param name its name
     * @param className its class, without the package
     * @param group the id of its placement group, hexadecimal; empty for none
     * @param job the id of the job that created it, hexadecimal
     * @param pid its process on its node; 0 for none
     * @param ip the address by which Ray knows its node; empty for none
     */
    public record NamedActor(String name, String className, String group, String job, int pid, String ip) {}

    /** The actors of a namespace that have a name and are not dead; empty when Ray's tables cannot be read. */
    public Optional<List<NamedActor>> named(String namespace) {
        try {
            List<NamedActor> named = new ArrayList<>();
            for (byte[] row : accessor().getAllActorInfo(null, null)) {
                Gcs.ActorTableData actor = Gcs.ActorTableData.parseFrom(row);
                if (actor.getState() != Gcs.ActorTableData.ActorState.DEAD
                        && !actor.getName().isEmpty()
                        && actor.getRayNamespace().equals(namespace)) {
                    String type = actor.getClassName();
                    named.add(new NamedActor(
                            actor.getName(),
                            type.substring(type.lastIndexOf('.') + 1),
                            node(actor.getPlacementGroupId()),
                            hex(actor.getJobId()),
                            actor.getPid(),
                            actor.getAddress().getIpAddress()));
                }
            }
            return Optional.of(named);
        } catch (ReflectiveOperationException | InvalidProtocolBufferException | LinkageError | RuntimeException e) {
            LOG.debug("Ray's table of actors cannot be read", e);
            return Optional.empty();
        }
    }

    /**
     * Whether the last actor of a name was ended by a call for its end, as {@code sglang-ray down} makes, and not by a fault. False
     * where Ray's tables do not tell.
     */
    public boolean wasEnded(String namespace, String name) {
        try {
            List<Gcs.ActorTableData> rows = new ArrayList<>();
            for (byte[] row : accessor().getAllActorInfo(null, null)) {
                Gcs.ActorTableData actor = Gcs.ActorTableData.parseFrom(row);
                if (actor.getName().equals(name) && actor.getRayNamespace().equals(namespace)) {
                    rows.add(actor);
                }
            }
            return wasEnded(rows);
        } catch (ReflectiveOperationException | InvalidProtocolBufferException | LinkageError | RuntimeException e) {
            LOG.debug("Ray's table of actors cannot be read", e);
            return false;
        }
    }

    static boolean wasEnded(List<Gcs.ActorTableData> rows) {
        return rows.stream().allMatch(row -> row.getState() == Gcs.ActorTableData.ActorState.DEAD)
                && rows.stream()
                        .max(Comparator.comparingLong(Gcs.ActorTableData::getEndTime))
                        .filter(row ->
                                row.getDeathCause().getActorDiedErrorContext().getReason()
                                        == Common.ActorDiedErrorContext.Reason.RAY_KILL)
                        .isPresent();
    }

    // The client keeps the accessor to itself, and another one of our own would take other arguments in each Ray
    // version.
    private static GlobalStateAccessor accessor() throws ReflectiveOperationException {
        if (!(Ray.internal() instanceof AbstractRayRuntime runtime)) {
            throw new ReflectiveOperationException("not connected through Ray's native runtime");
        }
        GcsClient client = runtime.getGcsClient();
        Field field = GcsClient.class.getDeclaredField(ACCESSOR);
        field.setAccessible(true);
        return (GlobalStateAccessor) field.get(client);
    }

    private static LedgerSnapshot.Group group(Gcs.PlacementGroupTableData group) {
        List<LedgerSnapshot.Bundle> bundles = new ArrayList<>();
        for (Common.Bundle bundle : group.getBundlesList()) {
            bundles.add(new LedgerSnapshot.Bundle(node(bundle.getNodeId()), bundle.getUnitResourcesMap()));
        }
        return new LedgerSnapshot.Group(
                hex(group.getPlacementGroupId()),
                group.getName(),
                group.getRayNamespace(),
                group.getState().name(),
                hex(group.getCreatorJobId()),
                bundles);
    }

    private static List<LedgerSnapshot.Actor> actors(GlobalStateAccessor accessor)
            throws InvalidProtocolBufferException {
        List<LedgerSnapshot.Actor> actors = new ArrayList<>();
        for (byte[] row : accessor.getAllActorInfo(null, null)) {
            Gcs.ActorTableData actor = Gcs.ActorTableData.parseFrom(row);
            boolean holds = actor.getState() == Gcs.ActorTableData.ActorState.ALIVE
                    && node(actor.getPlacementGroupId()).isEmpty()
                    && actor.getRequiredResourcesCount() > 0;
            if (holds) {
                actors.add(new LedgerSnapshot.Actor(
                        actor.getName().isEmpty() ? "of class " + actor.getClassName() : actor.getName(),
                        node(actor.getNodeId()),
                        actor.getRequiredResourcesMap()));
            }
        }
        return actors;
    }

    /** An id in Ray's hexadecimal; empty for none, which Ray writes as nothing or as ones only. */
    private static String node(ByteString id) {
        String hex = hex(id);
        return hex.matches("f*") ? "" : hex;
    }

    private static String hex(ByteString id) {
        return HexFormat.of().formatHex(id.toByteArray());
    }
}
