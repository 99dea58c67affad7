/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Hardware that is declared in the configuration instead of found on the nodes: RLinf's robots. Only its
 * shape is checked and its pieces are counted; nothing is connected to.
 *
 * @param type the hardware type
 * @param devices how many pieces each node has, by node rank
 */
record DeclaredHardware(String type, Map<Integer, Integer> devices) {
    private static final Map<String, Set<String>> KNOWN_FIELDS = Map.of(
            "Franka",
            fields(
                    "robot_ip camera_serials camera_type gripper_type gripper_connection controller_node_rank disable_validate"),
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

    private static Set<String> fields(String names) {
        Set<String> all = new TreeSet<>(List.of((names + " node_rank").strip().split(" ", -1)));
        return java.util.Collections.unmodifiableSet(all);
    }

    /**
     * Reads a {@code hardware} mapping.
     *
     * @param nodeRanks the ranks of the node group that declares it, or null when they are not known by rank
     */
    static DeclaredHardware parse(@Nullable Object value, String path, @Nullable Set<Integer> nodeRanks) {
        Fields hardware = Fields.of(value, path);
        hardware.require(List.of("type", "configs"), Set.of("type", "configs"));
        String type = PythonText.str(hardware.get("type"));
        Set<String> known = KNOWN_FIELDS.get(type);
        if (known == null) {
            throw PlacementException.builder("unknown hardware type \"%s\"".formatted(type))
                    .component(hardware.path("type"))
                    .seen(type)
                    .available(
                            "Known types",
                            KNOWN_FIELDS.keySet().stream().sorted().toList())
                    .fix(Suggestions.didYouMean(type, KNOWN_FIELDS.keySet()))
                    .build();
        }
        Map<Integer, Integer> devices = new LinkedHashMap<>();
        Set<Map<String, @Nullable Object>> seen = new HashSet<>();
        for (Fields config : Fields.list(hardware.get("configs"), hardware.path("configs"))) {
            config.require(List.of("node_rank"), known);
            int nodeRank = check(type, config);
            if (!seen.add(config.values())) {
                throw Fields.refusal(config.path(), config.values(), "the same hardware is declared twice");
            }
            if (nodeRanks != null && !nodeRanks.contains(nodeRank)) {
                throw config.refuse(
                        "node_rank",
                        "node rank %d is not one of the group's node ranks %s"
                                .formatted(nodeRank, RankExpression.describe(nodeRanks)));
            }
            devices.merge(nodeRank, 1, Integer::sum);
        }
        return new DeclaredHardware(type, devices);
    }

    private static int check(String type, Fields config) {
        OptionalInt nodeRank = Fields.whole(config.get("node_rank"));
        if (nodeRank.isEmpty()) {
            throw config.refuse("node_rank", "must be a whole number, not " + Fields.show(config.get("node_rank")));
        }
        for (String key : ADDRESSES) {
            Object address = config.get(key);
            if (address != null && !isAddress(PythonText.str(address))) {
                throw config.refuse(key, "must be an IP address, not " + Fields.show(address));
            }
        }
        Object variant = config.has("arm_variant") ? PythonText.str(config.get("arm_variant")) : "gim_arm_xl";
        if (type.equals("GimArm") && !ARM_VARIANTS.contains(variant)) {
            throw config.refuse("arm_variant", "must be gim_arm or gim_arm_xl, not " + Fields.show(variant));
        }
        return nodeRank.getAsInt();
    }

    // No name service is asked: the text itself must be an address.
    private static boolean isAddress(String text) {
        return IPV4.matcher(text).matches() || IPV6.matcher(text).matches();
    }
}
