/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.config.cluster.HardwareConfig;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.Suggestions;
import dev.sglangray.placement.rank.RankExpression;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Hardware that is declared in the configuration instead of found on the nodes: RLinf's robots. Only its
 * shape is checked and its pieces are counted; nothing is connected to.
 */
final class DeclaredHardware {
    private static final Map<String, Set<String>> KNOWN_FIELDS = Map.of(
            "Franka",
            fields("robot_ip camera_serials camera_type gripper_type gripper_connection controller_node_rank"
                    + " disable_validate"),
            "DualFranka",
            fields(
                    "left_robot_ip right_robot_ip left_camera_serials right_camera_serials base_camera_serials camera_type"
                            + " base_camera_type left_camera_type right_camera_type left_gripper_type right_gripper_type"
                            + " left_gripper_connection right_gripper_connection left_controller_node_rank"
                            + " right_controller_node_rank"),
            "DOSW1",
            fields("robot_url left_arm_port right_arm_port left_lead_port right_lead_port camera_serials"),
            "GimArm",
            fields(
                    "can_interface arm_variant camera_serials camera_type enable_gripper gripper_type controller_node_rank"
                            + " disable_validate"),
            "Turtle2",
            fields(""));
    private static final Set<String> ADDRESSES = Set.of("robot_ip", "left_robot_ip", "right_robot_ip");
    private static final Set<String> ARM_VARIANTS = Set.of("gim_arm", "gim_arm_xl");
    private static final Pattern IPV4 = Pattern.compile("((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)(\\.(?!$)|$)){4}");
    private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%\\w+)?");

    private DeclaredHardware() {}

    private static Set<String> fields(String names) {
        return Collections.unmodifiableSet(
                new TreeSet<>(Arrays.asList((names + " node_rank").strip().split(" ", -1))));
    }

    /**
     * Counts the pieces on each node.
     *
     * @param nodeRanks the ranks of the node group that declares them, or null when they are not known by rank
     * @return how many pieces each node has, by node rank
     * @throws PlacementException for fields that a known type does not have, bad addresses, repeats and foreign nodes
     */
    static Map<Integer, Integer> count(HardwareConfig hardware, @Nullable Set<Integer> nodeRanks) {
        Set<String> known = KNOWN_FIELDS.get(hardware.type());
        Map<Integer, Integer> devices = new LinkedHashMap<>();
        Set<Map<String, @Nullable Object>> seen = new HashSet<>();
        for (HardwareConfig.Unit unit : hardware.units()) {
            if (known != null) {
                check(hardware.type(), unit, known);
            }
            if (!seen.add(unit.settings())) {
                throw refusal(unit.position(), "the same %s hardware is declared twice".formatted(hardware.type()));
            }
            if (nodeRanks != null && !nodeRanks.contains(unit.nodeRank())) {
                throw refusal(
                        unit.position(),
                        "node_rank %d is not one of the group's node ranks %s"
                                .formatted(unit.nodeRank(), RankExpression.describe(nodeRanks)));
            }
            devices.merge(unit.nodeRank(), 1, Integer::sum);
        }
        return devices;
    }

    private static void check(String type, HardwareConfig.Unit unit, Set<String> known) {
        unit.settings().forEach((key, value) -> {
            if (!known.contains(key)) {
                throw PlacementException.builder("%s hardware has no field \"%s\"".formatted(type, key))
                        .component(unit.position().toString())
                        .available("Its fields", known.stream().sorted().toList())
                        .fix(Suggestions.didYouMean(key, known))
                        .build();
            }
            if (ADDRESSES.contains(key) && value != null && !isAddress(PythonText.str(value))) {
                throw refusal(unit.position(), "%s must be an IP address, not \"%s\"".formatted(key, value));
            }
            if (key.equals("arm_variant") && !ARM_VARIANTS.contains(PythonText.str(value))) {
                throw refusal(
                        unit.position(), "arm_variant must be gim_arm or gim_arm_xl, not \"%s\"".formatted(value));
            }
        });
    }

    // No name service is asked: the text itself must be an address.
    private static boolean isAddress(String text) {
        return IPV4.matcher(text).matches() || IPV6.matcher(text).matches();
    }

    private static PlacementException refusal(SourcePosition position, String message) {
        return PlacementException.builder(message)
                .component(position.toString())
                .build();
    }
}
