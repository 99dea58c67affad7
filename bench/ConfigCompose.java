/* SPDX-License-Identifier: Apache-2.0 */

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.config.ConfigLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Composes and resolves a configuration over and over, and prints the time of each composition in seconds as JSON:
 * {@code java -cp sglang-ray.jar bench/ConfigCompose.java DIR NAME SECONDS}.
 */
final class ConfigCompose {
    private ConfigCompose() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        List<Double> times = new ArrayList<>();
        long end = System.nanoTime() + (long) (Double.parseDouble(arguments[2]) * 1e9);
        int size = 0;
        while (System.nanoTime() < end || times.isEmpty()) {
            long begin = System.nanoTime();
            Object tree = ConfigLoader.builder().configDir(folder).configName(arguments[1]).load().toJava();
            times.add((System.nanoTime() - begin) / 1e9);
            size += tree.hashCode() & 1; // used, so that nothing of it can be left out
        }
        System.err.println(times.size() + " compositions, check " + size);
        System.out.println(new ObjectMapper().writeValueAsString(times));
    }
}
