import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;

/**
 * One OpenSearch node on 127.0.0.1, until SIGTERM.
 *
 * <p>By reflection, because the runner's classes are Java 21's, which the compiler of Java 17 cannot read: so this class is
 * compiled by any JDK and runs with both versions of the runner.
 */
public class OpenSearchNode {
  private static final String RUNNER = "org.codelibs.opensearch.runner.OpenSearchRunner";

  public static void main(String[] args) throws Exception {
    if (args.length != 3) {
      System.err.println("usage: OpenSearchNode FOLDER HTTP_PORT TRANSPORT_PORT");
      System.exit(2);
    }
    Map<String, String> settings =
        Map.of(
            "http.port", args[1],
            "transport.port", args[2],
            "network.host", "127.0.0.1",
            "discovery.type", "single-node",
            "cluster.routing.allocation.disk.threshold_enabled", "false");

    Class<?> runnerClass = Class.forName(RUNNER);
    Object runner = runnerClass.getConstructor().newInstance();
    Class<?> hookClass = Class.forName(RUNNER + "$Builder");
    Object hook =
        Proxy.newProxyInstance(
            OpenSearchNode.class.getClassLoader(),
            new Class<?>[] {hookClass},
            (proxy, method, parameters) -> {
              if (method.getName().equals("build")) {
                Method put = parameters[1].getClass().getMethod("put", String.class, String.class);
                for (Map.Entry<String, String> setting : settings.entrySet()) {
                  put.invoke(parameters[1], setting.getKey(), setting.getValue());
                }
              }
              return null;
            });
    runnerClass.getMethod("onBuild", hookClass).invoke(runner, hook);

    Method close = runnerClass.getMethod("close");
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    close.invoke(runner);
                  } catch (ReflectiveOperationException e) {
                    System.err.println("OpenSearchNode: closing failed: " + e.getCause());
                  }
                }));
    String[] node = {"-basePath", args[0], "-numOfNode", "1", "-clusterName", "dendro-test"};
    runnerClass.getMethod("build", String[].class).invoke(runner, (Object) node);
    Thread.currentThread().join();
  }
}
