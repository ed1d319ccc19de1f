"""Addresses about contact methods below /api/v1/."""

from django.urls import path

from monitoring.alerts.contacts import api

urlpatterns = [
    path("contact-methods", api.ContactMethods.as_view(), name="api-contact-methods"),
    path("contact-methods/order", api.ContactMethodOrder.as_view(), name="api-contact-method-order"),
    path("contact-methods/<int:method_id>", api.OneContactMethod.as_view(), name="api-contact-method"),
    path("contact-methods/<int:method_id>/code", api.SendCode.as_view(), name="api-contact-method-code"),
    path("contact-methods/<int:method_id>/verify", api.Verify.as_view(), name="api-contact-method-verify"),
    path("contact-methods/<int:method_id>/test", api.SendTest.as_view(), name="api-contact-method-test"),
    path("notification-rules", api.NotificationRules.as_view(), name="api-notification-rules"),
    path("quiet-hours", api.QuietHoursView.as_view(), name="api-quiet-hours"),
]
