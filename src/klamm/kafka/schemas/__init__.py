"""Messages of Kafka's protocol that the library does not have yet, in the form in which it reads its own.

{Consumer,Share}GroupDescribe{Request,Response}.json    KIP-848 and KIP-932
"""
