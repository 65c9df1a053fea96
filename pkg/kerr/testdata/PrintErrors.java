// Prints errors.tsv: code, name and whether it is retriable, for every error of the kafka-clients jar on the class path.
//
//   java -cp kafka-clients-4.4.0.jar:slf4j-api.jar PrintErrors.java > errors.tsv
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;

class PrintErrors {
    public static void main(String[] args) {
        for (Errors error : Errors.values()) {
            boolean retriable = error.exception() instanceof RetriableException;
            System.out.println(error.code() + "\t" + error.name() + "\t" + retriable);
        }
    }
}
