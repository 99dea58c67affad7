/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import dev.sglangray.workers.protocol.WorkerFailure;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Accelerators as their drivers name them. Ray and the plan count a node's accelerators from 0; where the node's Ray was started with a
 * list of its own, such as {@code CUDA_VISIBLE_DEVICES=GPU-8932f937,GPU-1a2b3c4d}, number 0 is the first of that list, and what
 * the driver calls 0 may be another program's. Stateless.
 */
public final class VisibleDevices {
    private static final String ONE_API = "ONEAPI_DEVICE_SELECTOR";
    private static final Pattern ONE_API_LIST = Pattern.compile("\\d+(\\s*,\\s*\\d+)*");

    private VisibleDevices() {}

    /**
     * The names of some accelerators of the node.
     *
     * @param numbers by Ray's count or the plan's
     * @param variable which variable shows the accelerators, for the message
     * @param shown its value in the environment of the node's Ray; null or blank where there is none
     * @throws WorkerFailure when the list is too short
     */
    public static List<String> names(List<String> numbers, String variable, @Nullable String shown) {
        String list = shown == null ? "" : shown.trim();
        if (variable.equals(ONE_API)) {
            // After the backend, which EnvironmentBuilder writes too; words such as "gpu" name them all.
            String devices = list.substring(list.lastIndexOf(':') + 1);
            list = ONE_API_LIST.matcher(devices).matches() ? devices : "";
        }
        if (list.isEmpty()) {
            return numbers;
        }
        String[] all = list.split("\\s*,\\s*", -1);
        List<String> names = new ArrayList<>();
        for (String number : numbers) {
            int index = Integer.parseInt(number);
            if (index >= all.length) {
                throw new WorkerFailure("this engine has the accelerator " + index
                        + " of its node, whose Ray was started with " + variable + "=" + shown + ", which has "
                        + all.length + " only; start the node's Ray with as many accelerators as the variable shows");
            }
            names.add(all[index]);
        }
        return List.copyOf(names);
    }
}
